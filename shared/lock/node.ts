/**
 * How is one lock master asked?
 *
 * What is asked of a *node* in one turn of the event loop goes, at its end, in one command: a batch of questions, each of
 * which is answered, and fails, by itself (`lua/locks.lua`). They are answered in the order in which they were asked, so
 * what is asked after a release comes after it. A node is one of:
 *
 * - *answering*.
 * - *suspended*, because a batch timed out: until it answers a PING, whatever is asked fails at once. Only releases are
 *   sent nevertheless, without an answer, and so many at most, so that it does not wake up full of stale locks.
 * - *away*: not connected. Whatever is asked fails at once.
 *
 * A node may lose its scripts, and does when it is restarted: they are loaded whenever the connection is ready. A batch
 * that misses them was not begun, and is sent again without the locks and extensions whose ballot is decided: they may
 * have been released since.
 *
 * No lock is written to a node's append-only file: a lock lasts seconds, nothing is correct because of it, and its file would
 * be written and synced twice for each. What that gives up is small: a node that is started again has forgotten its locks, so
 * one that a bare quorum voted for may be granted once more; one that all nodes voted for may not, unless a quorum of them
 * is started again within its TTL. One that a rewrite of the file has caught may come back, until its TTL ends.
 *
 * A caller that releases what it does not need any more goes on without waiting, so such a release waits a moment for what is asked
 * next and goes with it: alone, it would wake three masters, and this process three times.
 *
 * Answers come by promises. What ioredis tells by a callback is kept alive by what it told before, for longer than
 * the collector's young generation reaches back: of 45,000 locks it promoted 15 % of what was allocated, and so it is 2 %.
 *
 * Batches do not wait for each other. In a shop at 64 connections they held 16 questions; 18 when one at a time was under
 * way, which cost as much, and made a release wait for the answer before it.
 */
import { createHash } from 'node:crypto'
import { Command, type Redis } from 'ioredis'
import { UnavailableError } from '../errors.ts'
import { remake } from '../redis/connection.ts'
import { sharedScript } from '../redis/script.ts'
import type { VoteResult } from './quorum.ts'

export type Question = {
  readonly verb: 'lock' | 'extend' | 'release'
  /** In the order of redlock: how many keys, the keys, the token, and the TTL in ms if the verb has one. */
  readonly args: readonly (string | number)[]
  readonly ballot: { readonly result: VoteResult }
  /** Goes with what is asked a moment later. */
  readonly deferrable: boolean
  /** Told once: for how many keys the answer is yes. */
  readonly onAnswer: (error: Error | null, answer?: unknown) => void
}

export type LockNode = {
  /** Will the node get it? If not, the question has failed when this returns. */
  ask(question: Question): boolean
  /** Sends what was asked, and leaves the connection alone. */
  close(): void
}

/** The most questions of a batch: it keeps a node for less than a millisecond. */
const BATCH_MAX = 256
/** How long a release waits, at most, for something to go with. */
const WAIT_MS = 5
/** How long after an unanswered PING a node that is suspended is asked again; no caller waits for it. */
const PROBE_EVERY_MS = 100
/** How many releases are sent, without an answer, to a node that is suspended. */
const PENDING_RELEASES_MAX = 10_000
/** What ioredis says when a command's `commandTimeout` has passed. */
const TIMED_OUT = 'Command timed out'

const SCRIPT = sharedScript('locks')
const HASH = createHash('sha1').update(SCRIPT).digest('hex')

const ignore = (): undefined => undefined
const isWanted = ({ verb, ballot }: Question): boolean => verb === 'release' || ballot.result === 'pending'

/** Is the node answering, suspended or away? */
type Presence = {
  /** Why the node cannot be asked now, if so. */
  readonly obstacle: () => Error | undefined
  /** A batch has timed out. */
  readonly suspend: () => void
  /** Is this a node that is suspended, and has it room for one more release? */
  readonly takesUnanswered: (obstacle: Error) => boolean
  readonly close: () => void
}

const openPresence = (client: Redis): Presence => {
  const where = `lock node ${client.options.host}:${client.options.port}`
  const notConnected = new UnavailableError(`${where} is not connected`)
  const notAnswering = new UnavailableError(`${where} does not answer in time and is left out for a moment`)
  let isSuspended = false
  let probeAt = 0
  let pendingReleases = 0

  const probe = (): void => {
    probeAt = Number.POSITIVE_INFINITY
    client.ping((error) => {
      if (error?.message === TIMED_OUT) probeAt = performance.now() + PROBE_EVERY_MS
      else isSuspended = false
    })
  }
  const onReady = (): void => {
    isSuspended = false
    client.script('LOAD', SCRIPT, ignore) // if it fails, NOSCRIPT tells
  }
  client.on('ready', onReady)
  if (client.status === 'ready') onReady()

  return {
    obstacle: () => {
      if (client.status !== 'ready') return notConnected
      if (!isSuspended) return undefined
      if (performance.now() >= probeAt) probe()
      return notAnswering
    },
    suspend: () => {
      if (isSuspended) return
      isSuspended = true
      pendingReleases = 0
      probe() // at once: perhaps it was this process that slept
    },
    takesUnanswered: (obstacle) => obstacle === notAnswering && pendingReleases++ < PENDING_RELEASES_MAX,
    close: () => client.off('ready', onReady),
  }
}

/** The node behind a connection of the kind "lock". */
export const lockNode = (client: Redis): LockNode => {
  const presence = openPresence(client)
  /** What was asked in this turn, after the releases that wait. */
  let asked: Question[] = []
  let isLeaving = false
  let leaving: NodeJS.Timeout | undefined

  /** A script tells a node that became a replica within its answer, where ioredis does not look. */
  const refused = (error: Error, onAnswer: Question['onAnswer']): void => {
    if (client.options.reconnectOnError?.(error)) remake(client, error)
    onAnswer(error)
  }

  const sendBatch = (command: 'evalsha' | 'eval', batch: readonly Question[]): void => {
    const argv: (string | number)[] = [command === 'eval' ? SCRIPT : HASH, 0]
    for (const { verb, args } of batch) argv.push(verb, ...args)
    const answered = (answers: unknown): void =>
      batch.forEach(({ onAnswer }, index) => {
        const answer = (answers as readonly unknown[])[index]
        if (answer instanceof Error) refused(answer, onAnswer)
        else onAnswer(null, answer)
      })
    const failed = (error: Error): void => {
      if (error.message.startsWith('NOSCRIPT')) {
        const wanted = batch.filter(isWanted)
        if (wanted.length > 0) sendBatch('eval', wanted)
        return
      }
      if (error.message === TIMED_OUT) presence.suspend()
      for (const { onAnswer } of batch) onAnswer(error)
    }
    const asking = new Command(command, argv, { replyEncoding: 'utf8' })
    client.sendCommand(asking)
    asking.promise.then(answered, failed)
  }

  const send = (): void => {
    const all = asked
    asked = []
    isLeaving = false
    clearTimeout(leaving)
    leaving = undefined
    for (let at = 0; at < all.length; at += BATCH_MAX) sendBatch('evalsha', all.slice(at, at + BATCH_MAX))
  }

  const put = (question: Question): void => {
    asked.push(question)
    if (isLeaving) return
    if (question.deferrable) {
      leaving ??= setTimeout(send, WAIT_MS)
      return
    }
    isLeaving = true
    setImmediate(send)
  }

  return {
    ask: (question) => {
      const obstacle = presence.obstacle()
      if (obstacle === undefined) {
        put(question)
        return true
      }
      if (question.verb === 'release' && presence.takesUnanswered(obstacle)) put({ ...question, onAnswer: ignore })
      question.onAnswer(obstacle)
      return false
    },
    close: () => {
      presence.close()
      send()
    },
  }
}
