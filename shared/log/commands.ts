/**
 * How do commands share a script call, and what was returned under a request's key?
 *
 * Commands of one kind, or of kinds that go together, that are asked for at about the same time share one script call, and each
 * is done, answered and fails as if it were alone. A request that bears an `Idempotency-Key` has one effect: its first answer is
 * remembered, and given again to the same request.
 */
import type { Redis } from 'ioredis'
import { impossible, StaleLockTokenError, UnavailableError } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { COMMAND_TIMEOUT_MS, provesNothingDone } from '../redis/connection.ts'
import { type GroupOptions, grouped } from '../redis/group-commit.ts'
import type { Once, Reply, Script } from '../redis/script.ts'
import type { Fence } from './fence.ts'
import type { Measured } from './measured.ts'

/** The most commands that one script runs, so that it stays below 10 ms in Redis. */
const GROUP_MAX = 64

/**
 * Commands that are often wanted at one moment, so that they share a script; and how many of them, if not as the others: see
 * `group-commit.ts`.
 */
export type Together = { readonly commands: readonly string[] } & Partial<
  Pick<GroupOptions<unknown, unknown>, 'besideFrom' | 'halfFrom'>
>

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
  /** The script that runs these commands. */
  readonly scriptOf: (commands: readonly string[]) => Script
  /** Which commands share one script; each of the others has one of its own. */
  readonly together: readonly Together[]
  /** Called with the entry that a command appended: its stream id, and its kind and text in one. */
  readonly onAppended: (entry: string, text: string) => void
  readonly measured: Pick<Measured, 'ran' | 'asked'>
}

/** What is returned instead if the token of a request's lock is stale. */
const STALE_LOCK_TOKEN = 'stale-lock-token'

/** What the script `do` reads, and returns for each command: see `lua/do.lua`. */
type Asked = { readonly command: string; readonly lines: string }
type Done = readonly [reply: Reply, entry: string, text: string]

/** @throws Error if a value would be read as more than one line: whoever asks has let it through */
export const linesOf = (args: Args, once?: Once, readMs?: number): string => {
  let text = ''
  for (const name in args) {
    const value = args[name]
    if (typeof value === 'string' && value.includes('\n')) throw new Error(`"${name}" has more than one line`)
    text += `${name}=${value}\n`
  }
  if (readMs !== undefined) text += `read_ms=${readMs}\n`
  if (once === undefined) return text
  const { idempotencyKey, fingerprint, owner, doneBy, trace, lockToken } = once
  if (idempotencyKey !== undefined) text += `idempotency_key=${idempotencyKey}\nfingerprint=${fingerprint}\n`
  if (owner !== undefined) text += `owner=${owner}\n`
  if (doneBy !== undefined) text += `done_by=${doneBy}\n`
  if (trace !== undefined) text += `trace=${trace}\n`
  if (lockToken !== undefined) text += `fence=${lockToken}\n`
  return text
}

/** Runs commands by a script whose main part is `do`: what each returned, or its error. */
const runAll = async (by: Script, redis: Redis, asked: readonly Asked[]): Promise<readonly (Done | Error)[]> => {
  const argv: string[] = []
  for (const { command, lines } of asked) argv.push(command, lines)
  const told = (await by(redis, argv)) as readonly (Reply | Error | string)[]
  return asked.map((_, index) => {
    const reply = told[3 * index]
    return reply instanceof Error ? reply : ([reply, told[3 * index + 1], told[3 * index + 2]] as Done)
  })
}

/** Runs one command by such a script. */
export const runOne = async (by: Script, redis: Redis, asked: Asked): Promise<Done> => {
  const [done] = await runAll(by, redis, [asked])
  if (done === undefined) return impossible('log.runOne')
  if (done instanceof Error) throw done
  return done
}

/** One command is one script, so its failure may tell that nothing was done. */
const tellWhetherDone = (error: unknown): never => {
  if (!(error instanceof UnavailableError && provesNothingDone(error.cause))) throw error
  throw new UnavailableError(error.message, { cause: error.cause, nothingDone: true })
}

export const openCommands = (options: CommandsOptions): { readonly commands: Commands; readonly runOwn: RunOwn } => {
  const { redis, step, fence, requests, scriptOf, together, onAppended, measured } = options
  const groups = new Map<string, (asked: Asked) => Promise<Done>>()

  /** Runs one command, in a group with others that share a script with it. */
  const groupOf = (command: string): ((asked: Asked) => Promise<Done>) => {
    const known = groups.get(command)
    if (known) return known
    const sharing = together.find(({ commands }) => commands.includes(command)) ?? { commands: [command] }
    const { commands, ...limits } = sharing
    const by = scriptOf(commands)
    const group = grouped<Asked, Done>({
      groupMax: GROUP_MAX,
      ...limits,
      run: (asked) => runAll(by, redis, asked),
      timeoutMs: COMMAND_TIMEOUT_MS,
    })
    for (const one of commands) groups.set(one, group)
    return group
  }
  const ofGroup = (asked: Asked): Promise<Done> => groupOf(asked.command)(asked)

  const run: Commands['run'] = async (command, args, once) => {
    const askedAt = performance.now()
    const [reply, entry, text] = await fence
      .within(once, (readMs) => step(command, () => ofGroup({ command, lines: linesOf(args, once, readMs) })))
      .catch(tellWhetherDone)
    measured.ran(command, reply, performance.now() - askedAt)
    if (reply[0] === STALE_LOCK_TOKEN) throw new StaleLockTokenError(Number(reply[1]))
    if (entry !== '') onAppended(entry, text)
    return reply
  }

  const ask: Commands['ask'] = async (query, args) => {
    const askedAt = performance.now()
    const [reply] = await step(query, () => ofGroup({ command: query, lines: linesOf(args) })).catch(tellWhetherDone)
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
    runOwn: async (command, args, name = command) =>
      (await step(name, () => ofGroup({ command, lines: linesOf(args) })))[0],
  }
}
