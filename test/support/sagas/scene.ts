/** What the commands of a transcript share: the shop, what was emitted in it, and where they print. */

import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import type { Once, Reply } from '../../../shared/redis/script.ts'
import { plainly, under } from '../shop/open-store.ts'
import { openThreeServices, PAIRS, type ThreeServers, type ThreeServices } from '../three-services.ts'
import { openTimeline, SINGLE, type Timeline } from './timeline.ts'

export type Words = {
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string>
}

/** Does what a line says. The set-up is not told. */
export type Command = (words: Words) => Promise<void>

export type Scene = AsyncDisposable & {
  readonly services: ThreeServices
  readonly timeline: Timeline
  readonly print: (line: string) => void
  /** Prints what was emitted since. */
  readonly tell: () => Promise<void>
  /** Prints a reply and what was emitted. */
  readonly tellReply: (reply: readonly (string | undefined)[]) => Promise<void>
  /** Has a subscriber apply entries, one after the other, and prints each result and what was emitted. */
  readonly apply: (
    subscriber: Participant,
    publisher: Participant,
    entries: readonly RawEntry[],
    cursor?: string,
  ) => Promise<void>
  /** The same with all that it has not applied, up to `count`. @returns how many there were */
  readonly read: (subscriber: Participant, publisher: Participant, count?: number) => Promise<number>
  /** Pairs that cannot reach each other. */
  readonly parted: Set<string>
  /** The sagas that were begun, in order, and what there is of all else, by name. */
  readonly sagas: string[]
  /** The next saga that a store begins by itself has this log id. */
  readonly name: (saga: string) => void
  readonly users: string[]
  readonly items: Map<string, number>
  readonly orders: Map<string, string>
  /** Takes what was printed. */
  readonly take: () => readonly string[]
  /** What was applied by now: `order CreditCaptured: paid`. */
  readonly seen: Set<string>
}

const READ_MAX = 1_000

/** A request of this meaning, under a key and of a trace if the line names them. */
export const onceOf = ({ options }: Words, meaning: string): Once => {
  const [key, trace] = [options.get('key'), options.get('trace')]
  const once = key === undefined ? plainly : under(key, meaning)
  return trace === undefined ? once : { ...once, trace }
}

export const participantOf = (word = ''): Participant => {
  const participant = PARTICIPANTS.find((one) => one === word)
  if (participant === undefined) throw new Error(`"${word}" is none of ${PARTICIPANTS.join(', ')}`)
  return participant
}

/** `60s` in milliseconds. */
export const durationOf = (text = ''): number => {
  const [, seconds] = /^(-?\d+)s$/.exec(text) ?? []
  if (seconds === undefined) throw new Error(`"${text}" is no time, as 60s`)
  return Number(seconds) * 1_000
}

/** What came of applying an entry, as it is printed: the result, and why if something is wrong. */
const resultOf = ([result, ...rest]: Reply): string => {
  if (result === 'dead-lettered') return `${result}, ${rest[1]}`
  if (result === 'contradicted') return `${result}, ${rest[1]}`
  return result
}

export const openScene = async (servers: ThreeServers): Promise<Scene> => {
  let ids = 0
  let printed: string[] = []
  const parted = new Set<string>()
  const seen = new Set<string>()
  const sagas: string[] = []
  const named: string[] = []
  const users: string[] = []
  const items = new Map<string, number>()
  const orders = new Map<string, string>()

  const services = await openThreeServices(servers, {
    nextId: () => {
      const name = named.shift()
      if (name !== undefined) return name
      ids += 1
      return `${SINGLE}${ids}`
    },
    catchUp: async () => {
      await read('order', 'payment')
      return !parted.has('order payment')
    },
  })
  const { logs, stores } = services
  const timeline = openTimeline(services.redis)

  const print = (line: string): void => void printed.push(`  ${line}`)
  const tell = async (): Promise<void> => {
    for (const line of await timeline.gained()) print(line)
    await Promise.all(PARTICIPANTS.map(services.tick))
  }

  const apply: Scene['apply'] = async (subscriber, publisher, entries, cursor) => {
    for (const entry of entries) {
      const known = cursor ?? (await logs[subscriber].cursor(publisher))
      const replies = await logs[subscriber].apply(publisher, known, [entry])
      if ('gap' in replies) throw new Error(`the cursor of ${subscriber} stands at ${replies.gap}`)
      if (cursor === undefined) await services.report(subscriber, publisher, entry[0])
      await services.tick(subscriber)
      const [reply] = replies
      if (reply === undefined) continue
      if (subscriber === 'order') stores.order.decidedBy(reply)
      seen.add(`${subscriber} ${entry[1][0]}: ${reply[0]}`)
      print(timeline.named(`${timeline.nameOf(publisher, entry[0])} -> ${subscriber}: ${resultOf(reply)}`))
      for (const line of await timeline.gained(subscriber)) print(`  ${line}`)
    }
  }

  const read: Scene['read'] = async (subscriber, publisher, count = READ_MAX) => {
    if (parted.has(`${subscriber} ${publisher}`)) return 0
    const entries = await services.unread(subscriber, publisher, count)
    await apply(subscriber, publisher, entries)
    return entries.length
  }

  return {
    services,
    timeline,
    print,
    tell,
    tellReply: async (reply) => {
      print(timeline.named(reply.filter((word) => word !== undefined && word !== '').join(' ')))
      await tell()
    },
    apply,
    read,
    parted,
    sagas,
    name: (saga) => {
      if (!sagas.includes(saga)) sagas.push(saga)
      named.push(saga)
    },
    users,
    items,
    orders,
    take: () => {
      const lines = printed
      printed = []
      return lines
    },
    seen,
    [Symbol.asyncDispose]: () => services[Symbol.asyncDispose](),
  }
}

/** Everybody reads everything until nothing is emitted any more. */
export const settle = async ({ read }: Scene): Promise<void> => {
  const ROUNDS_MAX = 30
  for (let moved = 1, round = 0; moved > 0; round += 1) {
    if (round > ROUNDS_MAX) throw new Error('the services talk for ever')
    moved = 0
    for (const { subscriber, publisher } of PAIRS) moved += await read(subscriber, publisher)
  }
}
