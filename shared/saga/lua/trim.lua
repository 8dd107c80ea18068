--- @include "entry-id"
--- @include "survey"
-- trim: drops a page of the oldest entries, and with the last entry of a saga its record. An entry is dropped once it is
-- older than the age, and every subscriber has applied it. Where there are sagas a survey must have come after it, and ended as
-- long before another one that has gone around since: then no service will ever emit anything of those that it did not name, also
-- if a Redis comes back older by no more than that. For a Redis that is away for long may then come back older, too, and the
-- second survey has found all of them there. What the first survey, or the newest one, names is taken out of the pack and kept
-- until they name it no more.
-- ARGS     age_ms, acked (the entry up to which all subscribers have applied the log, '' if there are none), page
-- RETURNS  the number of entries that were dropped, and `1` if more may have to be, else `0`
-- WRITES   less than it frees

-- chosen_survey(age_ms): the survey that came last of those that ended so long before another came that has ended since, and
-- the one that ended last of all.
local function chosen_survey(age_ms)
  local all = surveys()
  local came_ms, newest_one = 0, nil
  for _, survey in ipairs(all) do
    if survey.ended > 0 then
      came_ms = math.max(came_ms, tonumber(appended_ms(survey.at)))
      newest_one = newest_one and newest_one.ended >= survey.ended and newest_one or survey
    end
  end
  local chosen
  for _, survey in ipairs(all) do
    local is_old = survey.ended > 0 and survey.ended + age_ms <= came_ms
    if is_old and (not chosen or tonumber(appended_ms(survey.at)) > tonumber(appended_ms(chosen.at))) then
      chosen = survey
    end
  end
  return chosen, newest_one
end

-- named_by(...): the sagas that surveys name.
local function named_by(one, other)
  local named = {}
  for _, survey in ipairs({ one, other }) do
    for id in string.gmatch(survey.open, '[^,]+') do
      named[id] = true
    end
  end
  return named
end

-- is_last(entries, entry): whether an entry ends a list.
local function is_last(entries, entry)
  return string.sub(entries, -#entry) == entry
end

-- last_of(id): the last entry that a record of its own names, or nil.
local function last_of(id)
  local entries, again = unpack(redis.call('HMGET', names.saga .. id, 'entries', 'again'))
  local last = string.match(entries or '', '%S+$')
  if not last or not again then
    return last or again
  end
  local ms, sequence = position(again)
  return later(ms, sequence, position(last)) and again or last
end

-- keep(id): an old saga that is not over is looked at again after the next survey.
local function keep(id)
  redis.call('ZADD', names.kept, now_ms(), id)
end

-- awaits_person(id): whether a contradiction of it is still to be resolved, or one of what it is about: that may be of an earlier
-- saga, to which the records of those after it lead.
local function awaits_person(id)
  local by, how, subject = unpack(redis.call('HMGET', names.saga .. id, 'contradicted', 'resolved', names.subject or ''))
  if by and not how then
    return true
  end
  return names.contradictions and subject and redis.call('SISMEMBER', names.contradictions, subject) == 1
end

-- drop_record(id, entry, named): drops what is recorded under the log id of an entry that is dropped, if it was the last.
local function drop_record(id, entry, named)
  local packed = redis.call('HGET', packs(id), id)
  if packed then
    if not is_last(packed, entry) then
      return
    end
    if redis.call('ZSCORE', names.open, id) then
      store_saga(id, load_saga(id))
    elseif named[id] then
      store_saga(id, load_saga(id))
      keep(id)
    else
      redis.call('HDEL', packs(id), id)
    end
    return
  end
  local last = last_of(id)
  if not last then
    redis.call('DEL', names.entries .. id)
  elseif last == entry and not redis.call('ZSCORE', names.open, id) then
    if named[id] or awaits_person(id) then
      keep(id)
    else
      redis.call('DEL', names.saga .. id)
    end
  end
end

-- drop_kept(survey, named): drops old sagas that are over at last: which were kept before a survey that names them no more.
local function drop_kept(survey, named)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', names.kept, '-inf', appended_ms(survey.at), 'LIMIT', 0, 100)) do
    if not named[id] then
      redis.call('ZREM', names.kept, id)
      local last = last_of(id)
      -- What was emitted of it since is in the log still, and goes with that.
      local is_gone = last and #redis.call('XRANGE', names.log, last, last) == 0
      if is_gone and awaits_person(id) then
        keep(id)
      elseif is_gone and not redis.call('ZSCORE', names.open, id) then
        redis.call('DEL', names.saga .. id)
      end
    end
  end
end

-- forget_surveys(chosen): those that came before it are not needed any more.
local function forget_surveys(chosen)
  for _, survey in ipairs(surveys()) do
    if tonumber(appended_ms(survey.at)) < tonumber(appended_ms(chosen.at)) then
      redis.call('HDEL', names.survey, survey.id)
    end
  end
end

function commands.trim(args)
  local before = now_ms() - tonumber(args.age_ms)
  local bound_ms, bound_sequence = before, 0
  local function bound_by(id)
    local ms, sequence = position(id)
    if later(bound_ms, bound_sequence, ms, sequence) then
      bound_ms, bound_sequence = ms, sequence
    end
  end
  if args.acked ~= '' then
    bound_by(args.acked)
  end
  local named = {}
  if emits.surveyed then
    local chosen, newest_one = chosen_survey(tonumber(args.age_ms))
    if not chosen then
      return { '0', '0' }
    end
    bound_by(chosen.at)
    named = named_by(chosen, newest_one)
    drop_kept(chosen, named)
    forget_surveys(chosen)
  end
  if bound_ms <= 0 then
    return { '0', '0' }
  end
  local bound = integer(bound_ms) .. '-' .. integer(bound_sequence)
  local old = redis.call('XRANGE', names.log, '-', '(' .. bound, 'COUNT', args.page)
  for _, entry in ipairs(old) do
    local id = #entry[2] == 2 and string.match(entry[2][2], '^version=%S+ log_id=(%S+)') or payload_of(entry[2]).log_id
    if id then
      drop_record(id, entry[1], named)
    end
  end
  local dropped = 0
  if #old > 0 then
    local ms, sequence = string.match(old[#old][1], '^(%d+)-(%d+)$')
    dropped = redis.call('XTRIM', names.log, 'MINID', ms .. '-' .. integer(tonumber(sequence) + 1))
    redis.call('SET', names.trimmed, old[#old][1])
  end
  return { integer(dropped), #old < tonumber(args.page) and '0' or '1' }
end
