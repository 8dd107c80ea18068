/**
 * What does a service record of a saga, and what does it emit?
 *
 * Its table says it, one row for each state. From the table, and from the dictionary, which knows the facts of each kind of
 * entry, follow functions in Lua: they have no loops where it matters, for they run several times for each saga, and a loop over
 * names costs three to six times as much as the names written out.
 */
import type { Fact, Facts } from '../contract/events.ts'

/**
 * How a saga stays recorded in a state:
 *
 * - `due`: unfinished, and to be left by the moment that its field `deadline` names;
 * - `unfinished`: the log parser looks at it;
 * - `packed`: finished, and its entries tell all that is to be kept of it;
 * - `kept`: finished, with a record of its own.
 */
export type Stay = 'due' | 'unfinished' | 'packed' | 'kept'

export type SagaTable<State extends string = string> = {
  readonly states: Readonly<Record<State, Stay>>
  /** What is recorded from its beginning here. */
  readonly fields: readonly string[]
  /** What may be recorded later. */
  readonly later?: readonly string[]
  /** What no entry tells: a saga of which such a field is recorded is never packed. */
  readonly untold?: readonly string[]
  /**
   * The unfinished states that a saga nearly always leaves within moments, and of which its entries tell all but the one field that is
   * named here, or '': it is packed at once, with this beside its entries, so that no record is written, read and deleted for it.
   */
  readonly passing?: Readonly<Record<string, string>>
}

/** The states of a table in which a saga is unfinished. */
export type UnfinishedOf<Table extends SagaTable> = {
  readonly [State in keyof Table['states'] & string]: Table['states'][State] extends 'due' | 'unfinished'
    ? State
    : never
}[keyof Table['states'] & string]

/** Is a saga unfinished in this state? */
export const isUnfinished = ({ states }: SagaTable, state: string): boolean =>
  states[state] === 'due' || states[state] === 'unfinished'

/** The service has no sagas. */
export const NO_SAGAS: SagaTable = { states: {}, fields: [] }

/** The constants of a table that the Lua files see, by their names. */
export const sagaConstants = ({ states, passing = {} }: SagaTable) => {
  const stays = new Set(Object.values(states))
  return {
    states,
    passing,
    indexes: {
      ...(stays.has('unfinished') || stays.has('due') ? { open: 1 } : {}),
      ...(stays.has('due') ? { deadlines: 1 } : {}),
    },
  }
}

const quoted = (name: string): string => `'${name}'`
const of = (name: string): string => `saga['${name}']`

/**
 * One fact as a piece of an entry's text. Only words and lines may be empty; a fact that may be missing is left out, and so is such a
 * word if it is empty: but there may be known to be no lines.
 */
const piece = ([name, fact]: readonly [string, Fact], at: number): string => {
  const prefix = quoted(`${at === 0 ? '' : ' '}${name}=`)
  if (fact === 'lines?') return `(${of(name)} and ${prefix}..${of(name)} or '')`
  if (fact.endsWith('?')) return `((${of(name)} or '')~='' and ${prefix}..${of(name)} or '')`
  return `${prefix}..${fact === 'word' || fact === 'lines' ? `(${of(name)} or '')` : of(name)}`
}

/** `payload(kind, saga)`: the facts of a kind, as the dictionary has them, of a saga. */
const payload = (kinds: Readonly<Record<string, Facts>>): string => {
  const branches = Object.entries(kinds).map(
    ([kind, facts]) => `if kind==${quoted(kind)} then return ${Object.entries(facts).map(piece).join('..')} end`,
  )
  return ['local function payload(kind,saga)', ...branches, 'end'].join('\n')
}

/**
 * `read_record(key)`: a saga as it is recorded under a key; or nil. Of most sagas half of what may be recorded is not, and it costs less
 * to be told the names than to ask for each. The table begins as large as it becomes.
 */
const readRecord = (fields: readonly string[]): string => `local function read_record(key)
local found=redis.call('HGETALL',key)
if not found[1] then return nil end
local saga={${fields.map((name) => `[${quoted(name)}]=false`).join(',')}}
for at=1,#found,2 do saga[found[at]]=found[at+1] end
return saga.state and saga or nil
end`

/** `write_record(key, saga)`: writes all that is known of it. */
const writeRecord = (fields: readonly string[], later: readonly string[]): string => {
  const always = fields.map((name) => `,${quoted(name)},${of(name)} or ''`)
  const perhaps = later.map(
    (name) => `if ${of(name)} then record[#record+1]=${quoted(name)} record[#record+1]=${of(name)} end`,
  )
  return `local function write_record(key,saga)
local record={'state',saga.state${always.join('')}}
${perhaps.join('\n')}
redis.call('HSET',key,unpack(record))
end`
}

/** `can_be_packed(saga)`: whether its entries tell all that is to be kept of it, but for one field while it passes a state. */
const canBePacked = (untold: readonly string[]): string =>
  `local function can_be_packed(saga)
return (states[saga.state]=='packed' or passing[saga.state])${untold.map((name) => ` and (${of(name)} or '')==''`).join('')}
end`

/** These functions. `kinds` are those of the entries that a state of the service may emit. */
export const sagaFunctions = (table: SagaTable, kinds: Readonly<Record<string, Facts>>): readonly string[] => [
  payload(kinds),
  readRecord(['state', 'entries', ...table.fields]),
  writeRecord(table.fields, ['entries', 'again', 'trace', ...(table.later ?? [])]),
  canBePacked(table.untold ?? []),
]
