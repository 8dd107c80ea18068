/**
 * What mends.
 *
 *   wait 60s                 time passes: what is unfinished is that much older
 *   parse order              its log parser runs
 *   trim order               its log parser drops what may be dropped, as if all were old
 *   save order               a copy of its Redis
 *   lose order               its Redis comes back as it was when it was saved
 *   look-back order          it looks for what it has lost, and upholds what it had answered
 *   compare payment order    payment looks whether order has lost what payment had read
 *   letters payment          its dead letters
 *   retry payment dead#1 | dismiss payment dead#1
 */
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { ackedKey, type LostTail } from '../../../shared/log/entry.ts'
import { tailLossDetector } from '../../../shared/log/tail-loss.ts'
import { logParser, type Report } from '../../../shared/saga/log-parser.ts'
import { plainly } from '../shop/open-store.ts'
import { subscribersOf } from '../three-services.ts'
import { type Command, durationOf, onceOf, participantOf, type Scene } from './scene.ts'

const NEVER = '0 0 0 1 1 *'
const RETENTION_MS = 1_000_000
const LEASE_TTL_MS = 1_000
/** Younger than anything. */
const ANY_AGE_MS = -60_000
const LETTERS_MAX = 100

const openParsers = ({ services, orders }: Scene): Readonly<Record<Participant, () => Promise<Report>>> => {
  const { stores, logs, dependencies } = services
  /** As a process does that has a turn, a slot and the lock for it. */
  const begin = async (log_id: string): Promise<string> => {
    const saga = await stores.order.saga(log_id)
    const order = saga?.order ?? ''
    const start = { log_id, order, user: orders.get(order) ?? '', token: '', timeout_ms: 0 }
    return (await stores.order.begin(start, plainly))[0]
  }
  const common = (participant: Participant) => ({
    log: logs[participant],
    subscribers: subscribersOf(participant),
    redLock: dependencies[participant].redLock,
    step: dependencies[participant].step,
    logger: dependencies[participant].logger,
    leaseTtlMs: LEASE_TTL_MS,
    schedule: NEVER,
    retentionMs: RETENTION_MS,
  })
  const order = logParser({ ...common('order'), recovery: stores.order.recovery(() => undefined, begin) })
  const payment = logParser({ ...common('payment'), recovery: stores.payment.recovery })
  const stock = logParser({ ...common('stock'), recovery: undefined })
  return { order: order.run, payment: payment.run, stock: stock.run }
}

/** Makes what is unfinished older: in the indexes, in the records, and what is known of how far it was read. */
const age = async ({ services: { redis }, sagas }: Scene, ms: number): Promise<void> => {
  for (const participant of PARTICIPANTS) {
    for (const index of ['sagas:open', 'sagas:deadlines']) {
      const members = await redis[participant].zrange(index, '0', '-1')
      for (const member of members) await redis[participant].zincrby(index, -ms, member)
    }
    for (const subscriber of subscribersOf(participant)) {
      const key = ackedKey(participant, subscriber)
      const [ackedMs, sequence] = ((await redis[participant].get(key)) ?? '0-0').split('-')
      if (ackedMs !== '0') await redis[participant].set(key, `${Number(ackedMs) - ms}-${sequence}`)
    }
  }
  // A refund has none.
  for (const saga of sagas)
    if (await redis.order.hget(`saga:${saga}`, 'deadline')) await redis.order.hincrby(`saga:${saga}`, 'deadline', -ms)
}

export const recovery = (scene: Scene): Readonly<Record<string, Command>> => {
  const { services, timeline, print, tell, tellReply } = scene
  const parsers = openParsers(scene)
  const saved = new Map<Participant, () => Promise<void>>()
  const memories = new Map(
    PARTICIPANTS.map((publisher) => [
      publisher,
      tailLossDetector({
        publisher,
        redis: services.redis[publisher],
        step: services.dependencies[publisher].step,
      }),
    ]),
  )

  const logTailLoss = async (lost: LostTail | undefined): Promise<void> => {
    if (lost === undefined) return print('nothing is lost')
    const { speaker, after, until, entries } = lost
    const name = (id: string): string => timeline.nameOf(speaker as Participant, id)
    print(`lost after ${name(after)}, until ${name(until)}`)
    for (const entry of entries) print(`  ${timeline.summaryOf(entry)}`)
    await tell()
  }
  const lettersOf = (participant: Participant) => services.logs[participant].dead.page('0-0', LETTERS_MAX)
  const letterId = async (participant: Participant, name = ''): Promise<string> => {
    const letter = (await lettersOf(participant))[Number(name.replace('dead#', '')) - 1]
    if (letter === undefined) throw new Error(`${participant} has no ${name}`)
    return letter.id
  }

  return {
    wait: ({ args: [duration] }) => age(scene, durationOf(duration)),
    parse: async ({ args: [participant] }) => {
      const { found, dead_letters, contradictions } = await parsers[participantOf(participant)]()
      for (const { log_id, facts, repair, done } of found) {
        const conditions = Object.entries(facts).map(([name, value]) => `${name} ${value}`)
        print(`${log_id} (${conditions.join(', ')}): ${repair}, ${done}`)
      }
      if (dead_letters > 0) print(`dead letters: ${dead_letters}`)
      if (contradictions.length > 0) print(`contradictions: ${contradictions.join(' ')}`)
      await tell()
    },
    trim: async ({ args: [word] }) => {
      const participant = participantOf(word)
      const dropped = await services.logs[participant].trim(ANY_AGE_MS, subscribersOf(participant))
      if (participant === 'order') await services.stores.order.recovery(() => undefined).beginSurvey(ANY_AGE_MS)
      print(`${dropped} dropped`)
      await tell()
    },
    save: async ({ args: [word] }) => {
      const participant = participantOf(word)
      saved.set(participant, await services.backUp(participant))
    },
    lose: async ({ args: [word] }) => {
      await saved.get(participantOf(word))?.()
    },
    'look-back': async ({ args: [participant] }) => {
      try {
        await logTailLoss(await services.logs[participantOf(participant)].checkOwnTail())
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        print(`not now: ${error.message}`)
        await tell()
      }
    },
    compare: async ({ args: [subscriber, publisher] }) => {
      const log = services.logs[participantOf(subscriber)]
      const memory = memories.get(participantOf(publisher))
      const lost = await memory?.compare(await log.cursor(participantOf(publisher)))
      if (lost) {
        await log.recordTailLoss(lost)
        memory?.forget(lost)
      }
      await logTailLoss(lost)
    },
    letters: async ({ args: [word] }) => {
      const participant = participantOf(word)
      for (const [index, { speaker, entry, error, applied, dismissed }] of (await lettersOf(participant)).entries()) {
        const end = applied ? `applied: ${applied.word}` : dismissed ? 'dismissed' : 'unresolved'
        print(`dead#${index + 1} ${timeline.nameOf(speaker as Participant, entry)}, ${error}, ${end}`)
      }
    },
    retry: async (words) => {
      const participant = participantOf(words.args[0])
      const id = await letterId(participant, words.args[1])
      await tellReply(await services.logs[participant].dead.retry(id, onceOf(words, `retry ${id}`)))
    },
    dismiss: async (words) => {
      const participant = participantOf(words.args[0])
      const id = await letterId(participant, words.args[1])
      await tellReply(await services.logs[participant].dead.dismiss(id, onceOf(words, `dismiss ${id}`)))
    },
  }
}
