/**
 * Is all there that a service needs?
 *
 * What its checks (`shared/http/readiness.ts`) can only know by asking is asked once a second: whether the own Redis, and the
 * lock masters, would run a command. The question is a script that writes nothing but does not say so: whatever refuses a command
 * refuses it (no memory, no room, a replica, a script that does not end). What is not answered once may be slowness; twice in a
 * row it is a finding.
 *
 * A script that keeps the own Redis busy is ended: none of ours takes so long, and any peer can begin one.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { messageOf, UnavailableError } from '../errors.ts'
import { type Check, wrongOf } from '../http/readiness.ts'
import type { Step } from '../process/step.ts'
import { script } from '../redis/script.ts'

export type Health = {
  readonly checks: () => readonly Check[]
  /** Whether the own Redis, and each lock master by its name, would run a command, as far as it is known. */
  readonly up: () => { readonly own: boolean; readonly masters: Readonly<Record<string, boolean>> }
  readonly start: () => void
  readonly stop: () => void
}

export type HealthOptions = {
  readonly own: Redis
  /** The lock masters by their names; without a quorum of them nothing is begun, if they are needed. */
  readonly masters: Readonly<Record<string, Redis>>
  readonly needsQuorum: boolean
  /** Those that are known without asking; called often. */
  readonly others: () => readonly Check[]
  /** Asked together with the rest, once a second. */
  readonly probes: readonly (() => Promise<void>)[]
  readonly step: Step
  readonly logger: Logger
}

const EVERY_MS = 1_000

/** Refused whenever a command that writes would be. */
const probe = script('#!lua\nreturn 1')

const reasonOf = (error: unknown): string => {
  const isOfAnother = error instanceof UnavailableError && error.cause instanceof Error
  return messageOf(isOfAnother ? error.cause : error)
}

/** What was found twice in a row. */
const openFinding = () => {
  let last: string | undefined
  let wrong: string | undefined
  return {
    note: (now: string | undefined): void => {
      wrong = last === undefined ? undefined : now
      last = now
    },
    wrong: (): string | undefined => wrong,
  }
}

type Vote = { readonly name: string; readonly redis: Redis; readonly finding: ReturnType<typeof openFinding> }

const checkOfMasters = (votes: readonly Vote[], needsQuorum: boolean): Check => {
  const wrong = votes.flatMap(({ name, finding }) => finding.wrong()?.replace(/^/, `${name}: `) ?? [])
  const isLost = votes.length - wrong.length < Math.floor(votes.length / 2) + 1
  return {
    name: 'lock-masters',
    grade: isLost && needsQuorum ? 'impairs' : 'warns',
    wrong: wrong.length > 0 ? `lock masters give no locks (${wrong.join(', ')})` : undefined,
  }
}

export const openHealth = ({ own, masters, needsQuorum, others, probes, step, logger }: HealthOptions): Health => {
  const writes = openFinding()
  const votes = Object.entries(masters).map(([name, redis]) => ({ name, redis, finding: openFinding() }))
  let logged = ''
  let killed = ''
  let stopped = false

  const wouldDo = async (name: string, redis: Redis): Promise<string | undefined> => {
    if (redis.status !== 'ready') return 'it is not connected'
    try {
      await step(name, () => probe(redis, []))
      return undefined
    } catch (error) {
      return reasonOf(error)
    }
  }

  const endScript = async (): Promise<void> => {
    const outcome = await step('script-kill', () => own.script('KILL')).then(() => 'it was ended', reasonOf)
    if (outcome === killed) return
    killed = outcome
    logger.error(
      { said: outcome },
      'a script keeps the own Redis busy; if it cannot be ended, SHUTDOWN NOSAVE and a new start do',
    )
  }

  const checks = (): readonly Check[] => {
    const refusal = writes.wrong()
    const wrong = refusal === undefined ? undefined : `its own Redis runs no commands: ${refusal}`
    return [...others(), { name: 'own-redis-writes', grade: 'impairs', wrong }, checkOfMasters(votes, needsQuorum)]
  }

  const tell = (): void => {
    const now = checks()
    const wrong = [wrongOf(now, 'blocks'), wrongOf(now, 'impairs')].filter((one) => one !== '').join('; ')
    // How long it lasts by now is no news.
    const news = wrong.replace(/\d+/g, '')
    if (news !== logged && wrong !== '') logger.warn({ wrong }, 'not ready')
    if (news !== logged && wrong === '') logger.info('ready again')
    logged = news
  }

  const round = async (): Promise<void> => {
    const [refusal] = await Promise.all([
      wouldDo('probe', own),
      ...votes.map(async ({ redis, finding }) => finding.note(await wouldDo('probe-locks', redis))),
      ...probes.map((probe) => probe()),
    ])
    // One that is away may have anything wrong with it still; that it is away is another check.
    if (own.status === 'ready') writes.note(refusal)
    if (refusal?.startsWith('BUSY')) await endScript()
    else killed = ''
    tell()
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      await round()
      await after(EVERY_MS, undefined, { ref: false })
    }
  }

  const isUp = (redis: Redis, finding: ReturnType<typeof openFinding>): boolean =>
    redis.status === 'ready' && finding.wrong() === undefined

  return {
    checks,
    up: () => ({
      own: isUp(own, writes),
      masters: Object.fromEntries(votes.map(({ name, redis, finding }) => [name, isUp(redis, finding)])),
    }),
    start: () => void run(),
    stop: () => {
      stopped = true
    },
  }
}
