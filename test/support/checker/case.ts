/**
 * A case for the checker as a text, so that a test changes a word of it and sees what is found.
 *
 *   pay user=ann amount=7 key=k -> 402 out-of-credit   a request and its answer: 200 if there is none, unknown if it is "?"
 *     payment p3 CreditSpent user=ann amount=1         an entry of a log, written in the middle of the request before it
 *   100-150 checkout order=dear                        a request at another time than in its turn, in ms
 *     5600 order s4 CheckoutClosed order=late          an entry at another time
 *   payment user:ann credit=5 held=0                   what a Redis holds at rest; a record of a checkout has the ids of its
 *                                                      entries besides, unless it says "entries="
 *   payment document:I1-1 log_id=s1 order=dear total=4   an invoice, as it is numbered and says
 *   payment draft:late state=draft version=1            what payment has drafted for an order
 *   payment series:I1 last=1                            the last number of a series
 *   payment ledger: added=9 charged=4                  the running sums of a service
 *   stock reads payment: behind=0 CreditHeld           how many entries it has not read, and which kinds it acts on
 *   stock misses 0                                     how many entries are gone from its log
 *   seeded credit=9 stock=4                            what the clients say they added
 *   lock order:late | open order s4 | dead stock why | contradicted bought | lossy | lost p9 FundsAdded user=ann amount=3
 */
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { CursorEvidence, Evidence, LogEvidence } from './checker.ts'
import { DOES, type Facts, type Operation, type Told } from './history.ts'

export type Case = { readonly history: readonly Operation[]; readonly evidence: Evidence }

/** Words that stand in a text once, and what is to stand there; or lines that are added. */
export type Change = readonly [from: string, to: string] | string

export const changed = (text: string, changes: readonly Change[]): string =>
  changes.reduce<string>((before, change) => {
    if (typeof change === 'string') return `${before}${change}\n`
    const [from, to] = change
    if (before.split(from).length !== 2) throw new Error(`"${from}" does not stand in the case once`)
    return before.replace(from, to)
  }, text)

/** By how much the clocks of the Redis are ahead of the clients'. */
const AHEAD_MS = 5_000
/** Requests come one after the other, and each is answered after half of its turn. */
const TURN_MS = 200
/** An id that no log has reached. */
const BEYOND = `${AHEAD_MS + 10_000}-0`

const fieldsOf = (words: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    words.filter((word) => word.includes('=')).map((word) => [word.replace(/=.*/, ''), word.replace(/^[^=]*=/, '')]),
  )

const REQUEST = /^(?:(\d+)-(\d+) )?([a-z-]+) (.*?)(?: -> (.*))?$/

const toldBy = (answer: string, status: number): Told => {
  if (answer.startsWith('?')) return 'unknown'
  return status === 200 ? 'ok' : 'refused'
}

const requestIn = (line: string, turn: number): Operation | undefined => {
  const [, begun, ended, name, asked = '', answer = '200'] = REQUEST.exec(line) ?? []
  const does = DOES.find((one) => one === name)
  if (does === undefined) return undefined
  const { key, letter = '', ...facts } = fieldsOf(asked.split(' '))
  const [status = '0', ...rest] = answer.split(' ').filter((word) => word !== '?')
  return {
    client: 'ann',
    does,
    facts,
    idempotencyKey: key,
    begunMs: Number(begun ?? turn * TURN_MS),
    endedMs: Number(ended ?? (turn + 0.5) * TURN_MS),
    told: toldBy(answer, Number(status)),
    status: Number(status),
    problem: rest.find((word) => !word.includes('=')) ?? '',
    value: fieldsOf(rest),
    letter,
  }
}

type Logged = { readonly participant: string; readonly atMs: number; readonly entry: Omit<LogEntry, 'id'> }

const entryOf = ([log_id = '', kind = '', ...facts]: readonly string[]): Omit<LogEntry, 'id'> => ({
  at: '',
  kind,
  version: '1',
  log_id,
  facts: fieldsOf(facts),
})

const entryIn = (line: string, turn: number): Logged | undefined => {
  const [, at, participant = '', words = ''] = /^ +(?:(\d+) )?(\w+) (.*)$/.exec(line) ?? []
  if (participant === '') return undefined
  return { participant, atMs: Number(at ?? (turn + 0.25) * TURN_MS), entry: entryOf(words.split(' ')) }
}

const logOf = (logged: readonly Logged[], missing = 0): LogEvidence => {
  const entries = logged
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ atMs, entry }, index) => ({ ...entry, id: `${AHEAD_MS + atMs}-${index}` }))
  return { entries, added: entries.length + missing, newest: entries.at(-1)?.id ?? '0-0' }
}

export const caseOf = (text: string): Case => {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const history: Operation[] = []
  const logged: Logged[] = []
  for (const line of lines) {
    const request = requestIn(line, history.length)
    const entry = entryIn(line, history.length - 1)
    if (request) history.push(request)
    if (entry) logged.push(entry)
  }

  /** The words of each line that begins so. */
  const after = (head: string): readonly (readonly string[])[] =>
    lines.filter((line) => line.startsWith(head)).map((line) => line.slice(head.length).split(' '))
  const ofEach = <Thing>(read: (participant: Participant) => Thing): Record<Participant, Thing> => ({
    order: read('order'),
    payment: read('payment'),
    stock: read('stock'),
  })
  const logs = ofEach((participant) =>
    logOf(
      logged.filter((one) => one.participant === participant),
      Number(after(`${participant} misses `)[0]?.[0] ?? 0),
    ),
  )
  const hashes = (head: string): Map<string, Facts> =>
    new Map(after(head).map(([id = '', ...fields]) => [id, fieldsOf(fields)]))
  const records = (participant: Participant): Map<string, Facts> =>
    new Map(
      [...hashes(`${participant} saga:`)].map(([id, fields]) => {
        const entries = logs[participant].entries.filter(({ log_id }) => log_id === id)
        return [id, { entries: entries.map((entry) => entry.id).join(' '), ...fields }]
      }),
    )
  const cursors = PARTICIPANTS.flatMap((subscriber) =>
    PARTICIPANTS.flatMap((publisher) =>
      after(`${subscriber} reads ${publisher}: `).map(([behind = '', ...handled]): CursorEvidence => {
        const at = logs[publisher].entries.at(-1 - Number(behind.replace('behind=', '')))
        return { subscriber, publisher, at: behind === 'behind=-1' ? BEYOND : (at?.id ?? '0-0'), handled }
      }),
    ),
  )
  const { credit, stock } = fieldsOf(after('seeded ')[0] ?? [])
  return {
    history,
    evidence: {
      logs: { ...logs, ids: logOf([]) },
      wallets: hashes('payment user:'),
      shelves: hashes('stock item:'),
      orders: hashes('order order:'),
      sagas: ofEach(records),
      ledgers: ofEach((participant) => {
        const sums = fieldsOf(after(`${participant} ledger: `)[0] ?? [])
        return (account) => BigInt(sums[account] ?? 0)
      }),
      documents: {
        last: new Map([...hashes('payment series:')].map(([series, { last }]) => [series, Number(last)])),
        documents: hashes('payment document:'),
      },
      drafts: hashes('payment draft:'),
      open: ofEach((participant) => after(`open ${participant} `).map((words) => words.join(' '))),
      cursors,
      locks: after('lock ').map(([key]) => `lock:${key}`),
      waiting: [],
      dead: ofEach((participant) => after(`dead ${participant} `).map((words) => words.join(' '))),
      contradictions: after('contradicted ').map(([order = '']) => order),
      lossy: lines.includes('lossy'),
      lost: after('lost ').map((words) => ({ id: '999-0', ...entryOf(words) })),
      clocks: ofEach(() => AHEAD_MS),
      seeded: { credit: Number(credit), stock: Number(stock) },
    },
  }
}
