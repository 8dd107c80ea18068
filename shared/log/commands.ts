/**
 * How is a command run, and what was returned under a request's key?
 *
 * Commands of one kind that are asked for at about the same time share one script call, and each is done, answered and fails
 * as if it were alone. A request that bears an `Idempotency-Key` has one effect: its first answer is remembered, and given
 * again to the same request.
 */
import type { Redis } from 'ioredis'
import type { RawEntry } from '../contract/events.ts'
import { StaleLockTokenError, UnavailableError } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { COMMAND_TIMEOUT_MS, provesNothingDone } from '../redis/connection.ts'
import { grouped } from '../redis/group-commit.ts'
import type { Once, Reply, Script } from '../redis/script.ts'
import type { Fence } from './fence.ts'
import type { Measured } from './measured.ts'

/** The most commands that one script runs, so that it stays below 10 ms in Redis. */
const GROUP_MAX = 64

export type Args = Readonly<Record<string, string | number>>

export type Commands = {
  /** Runs one command. @throws UnavailableError if its outcome is unknown or it was not done; StaleLockTokenError */
  readonly run: (command: string, args: Args, once?: Once) => Promise<Reply>
  /** Asks what changes nothing, by a script as a command has it. @throws UnavailableError */
  readonly ask: (query: string, args: Args) => Promise<Reply>
  /** What was answered under a request's key, or `key-reused`; `undefined` if nothing was, or there is no key. */
  readonly recall: (once: Once) => Promise<Reply | undefined>
  /**
   * To be asked before a request is refused for what this Redis does not know: what was answered under its key, if it was done
   * elsewhere meanwhile; else the process that was asked before will not do it any more.
   */
  readonly refuse: (once: Once) => Promise<Reply | undefined>
  /** Takes the key for a request that is more than one command: `claimed`, also when it is asked again, or `key-reused`. */
  readonly claim: (once: Once) => Promise<Reply>
}

/** Runs a command that belongs to no request, as the step `name`. */
export type RunOwn = (command: string, args: Args, name?: string) => Promise<Reply>

export type CommandsOptions = {
  readonly redis: Redis
  readonly step: Step
  readonly fence: Fence
  /** What the keys of remembered answers begin with. */
  readonly requests: string
  /** The script that runs a command. */
  readonly scriptOf: (command: string) => Script
  /** Called with the entry that a command appended. */
  readonly onAppended: (entry: RawEntry) => void
  readonly measured: Pick<Measured, 'ran' | 'asked'>
}

/** What is returned instead if the token of a request's lock is stale. */
const STALE_LOCK_TOKEN = 'stale-lock-token'

/** What the script `do` reads, and returns for each command: see `lua/do.lua`. */
type Asked = { readonly args: Args; readonly once?: Once | undefined; readonly readMs?: number | undefined }
type Done = readonly [reply: Reply, recorded?: RawEntry]

const argumentsOf = (command: string, asked: readonly Asked[]): (string | number)[] => {
  const argv: (string | number)[] = [command]
  for (const { args, once, readMs } of asked) {
    const key = once?.idempotencyKey
    let text = ''
    for (const name in args) text += `${name}=${args[name]}\n`
    if (once?.owner !== undefined) text += `owner=${once.owner}\n`
    if (once?.doneBy !== undefined) text += `done_by=${once.doneBy}\n`
    if (once?.trace !== undefined) text += `trace=${once.trace}\n`
    if (once?.lockToken !== undefined) text += `fence=${once.lockToken}\n`
    argv.push(key ?? '', key === undefined ? '' : (once?.fingerprint ?? ''), readMs ?? '', text)
  }
  return argv
}

/** Runs commands of one kind by a script whose main part is `do`: what each returned, or its error. */
export const runAll = async (
  by: Script,
  redis: Redis,
  command: string,
  asked: readonly Asked[],
): Promise<readonly (Done | Error)[]> => (await by(redis, argumentsOf(command, asked))) as readonly (Done | Error)[]

/** One command is one script, so its failure may tell that nothing was done. */
const tellWhetherDone = (error: unknown): never => {
  if (!(error instanceof UnavailableError && provesNothingDone(error.cause))) throw error
  throw new UnavailableError(error.message, { cause: error.cause, nothingDone: true })
}

export const openCommands = (options: CommandsOptions): { readonly commands: Commands; readonly runOwn: RunOwn } => {
  const { redis, step, fence, requests, scriptOf, onAppended, measured } = options
  const groups = new Map<string, (asked: Asked) => Promise<Done>>()

  /** Runs one command, in a group with others of its kind. */
  const groupOf = (command: string): ((asked: Asked) => Promise<Done>) => {
    const known = groups.get(command)
    if (known) return known
    const by = scriptOf(command)
    const group = grouped<Asked, Done>({
      run: (asked) => runAll(by, redis, command, asked),
      groupMax: GROUP_MAX,
      timeoutMs: COMMAND_TIMEOUT_MS,
    })
    groups.set(command, group)
    return group
  }

  const run: Commands['run'] = async (command, args, once) => {
    const askedAt = performance.now()
    const [reply, appended] = await fence
      .within(once, (readMs) => step(command, () => groupOf(command)({ args, once, readMs })))
      .catch(tellWhetherDone)
    measured.ran(command, reply, performance.now() - askedAt)
    if (reply[0] === STALE_LOCK_TOKEN) throw new StaleLockTokenError(Number(reply[1]))
    if (appended) onAppended(appended)
    return reply
  }

  const ask: Commands['ask'] = async (query, args) => {
    const askedAt = performance.now()
    const [reply] = await step(query, () => groupOf(query)({ args })).catch(tellWhetherDone)
    measured.asked(query, performance.now() - askedAt)
    return reply
  }

  const recall: Commands['recall'] = async ({ idempotencyKey, fingerprint }) => {
    if (idempotencyKey === undefined) return undefined
    const remembered = await step('recall', () => redis.get(requests + idempotencyKey))
    const before: unknown = JSON.parse(remembered ?? 'null')
    if (!Array.isArray(before)) return undefined
    const [request, reply] = before as [string, Reply]
    return request === fingerprint ? reply : ['key-reused']
  }

  const refuse: Commands['refuse'] = async (once) => {
    if (once.idempotencyKey === undefined) return undefined
    const reply = await run('answer', { result: 'refused', passing: 'yes' }, once)
    return reply[0] === 'refused' ? undefined : reply
  }

  return {
    commands: { run, ask, recall, refuse, claim: (once) => run('answer', { result: 'claimed', passing: 'no' }, once) },
    runOwn: async (command, args, name = command) => (await step(name, () => groupOf(command)({ args })))[0],
  }
}
