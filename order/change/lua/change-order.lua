--- @include "single"
--- @include "order"
--- @include "shown"
-- change-order: makes the lines of an open order what they are to be from now on, if its version is one of those that are wanted, and it
-- was not changed after a time. What is so already is no change: the version stays. What the lines cost follows from the order as it was
-- read, so nothing is done if it is another one by now, or paid: then it is amended.
-- ARGS     log_id, order, versions (separated by blanks, or `any`), since (the time, or ''), read (its version as it was read),
--          total, lines, costs (all of them; none if it could not be changed as it was read)
-- RETURNS  changed, order | unknown | closed, status (in passing, unless it stays so) | stale, version | outdated, version
--          or in passing: moved
commands['change-order'] = function(args)
  local key = names.order .. args.order
  local order = redis.call('HMGET', key, 'user', 'status', 'version', 'lines', 'at', 'updated')
  local user, status, version, lines, at, updated = unpack(order)
  if not user or is_anothers(user) then
    return { 'unknown' }
  end
  if status == 'paid' then
    return { 'moved' }, true
  end
  if status ~= 'open' then
    return { 'closed', status }, not over[status]
  end
  version = version or '1'
  if not is_wanted(args.versions, version) then
    return { 'stale', version }
  end
  if args.since ~= '' and tonumber(args.since) < math.max(tonumber(version), tonumber(updated or at or '0')) then
    return { 'outdated', version }
  end
  if version ~= args.read or not args.lines then
    return { 'moved' }, true
  end
  local log_id = ''
  if lines ~= args.lines then
    log_id, version = args.log_id, later_version(version)
    emit_single('OrderChanged', log_id, { 'order', args.order, 'user', user, 'total', args.total, 'lines', args.lines,
      'costs', args.costs, 'order_version', version })
    redis.call('HSET', key, 'total', args.total, 'lines', args.lines, 'costs', args.costs, 'version', version,
      'billed', version)
  end
  local reply = { 'changed', log_id }
  for _, text in ipairs(shown(args.order)) do
    reply[#reply + 1] = text or ''
  end
  return reply
end
