/**
 * How does a process live and end?
 *
 * `run` reads the configuration, opens what the process needs as one stack, tells its parent that it is ready, and on
 * SIGTERM, SIGINT or the loss of its parent closes the stack in reverse and ends, within `END_MS`. What cannot be started
 * says so in one sentence. An error that was not caught is a fault of the program: it is logged and ends the process, and
 * its successor's log parser repairs.
 */
import { nanoid } from 'nanoid'
import { type Logger, pino } from 'pino'
import { UnsafeRedisError } from '../errors.ts'
import { ConfigError, name as nameSetting, readConfig, type Setting, type Settings } from './config.ts'
import { type CrashPoints, crashPlan, crashPoints, type Host, type Instruction } from './crash-points.ts'
import { listenFault } from './listen.ts'
import { openLogger } from './logger.ts'
import { openStep, type Step } from './step.ts'
import { openTracing, type Tracing, tracesEndpoint } from './tracing.ts'

/** A process must have ended this long after it was told to. */
const END_MS = 9_500

const level: Setting<string> = {
  variable: 'LOG_LEVEL',
  parse: (given) => {
    const levels = [...Object.keys(pino.levels.values), 'silent']
    if (!levels.includes(given)) throw new Error(`must be one of ${levels.join(', ')}, not "${given}"`)
    return given
  },
  fallback: 'info',
}

/** The settings of every process. */
export const processSettings = {
  logLevel: level,
  replica: nameSetting('REPLICA', nanoid(6)),
  crash: crashPlan,
  tracesEndpoint,
}

export type ProcessContext<Config> = {
  readonly config: Config
  /** The name of this process among those that are the same part of the shop. */
  readonly replica: string
  readonly logger: Logger
  /** In which this process does whatever it does to another. */
  readonly step: Step
  /** Only in tests and drills. */
  readonly crashPoints: CrashPoints | undefined
  /** If somebody is to be told. */
  readonly tracing: Tracing | undefined
  /** What was opened, to be closed in reverse. */
  readonly stack: AsyncDisposableStack
  /** Aborted when the process is told to end. */
  readonly shutdown: AbortSignal
}

const sentence = (error: unknown): string | undefined => {
  if (error instanceof ConfigError || error instanceof UnsafeRedisError) return error.message
  const { port = 0, address, hostname } = error as { port?: number; address?: string; hostname?: string }
  return listenFault(error, hostname ?? address ?? '', port)
}

/** The process as crash points need it. A message is with the parent when `send` returns: it is written at once. */
const hostOf = (process: NodeJS.Process): Host => ({
  signal: (signal) => process.kill(process.pid, signal),
  tell: (told) => void process.send?.(told),
  onInstruction: (obey) => {
    process.on('message', (instruction: Instruction) => {
      if (instruction.type === 'crash-points') obey(instruction)
    })
    process.channel?.unref()
  },
})

/** Runs a process from start to end. `open` resolves once it serves. */
export const run = async <Table extends Record<string, Setting<unknown>>>(
  process: NodeJS.Process,
  name: string,
  table: Table,
  open: (context: ProcessContext<Settings<Table>>) => Promise<void>,
): Promise<void> => {
  const shutdown = new AbortController()
  const end = (): void => shutdown.abort()
  process.on('SIGTERM', end).on('SIGINT', end)
  if (process.channel) {
    process.once('disconnect', end)
    process.channel.unref()
  }
  const stack = new AsyncDisposableStack()
  const close = async (code: number): Promise<never> => {
    setTimeout(() => process.exit(1), END_MS).unref()
    await stack.disposeAsync()
    process.exit(code)
  }
  try {
    const [config, { logLevel, replica, crash, tracesEndpoint: endpoint }] = readConfig(
      process.env,
      table,
      processSettings,
    )
    const logger = openLogger(name, replica, logLevel)
    const points = crash === 'off' ? undefined : crashPoints(crash, hostOf(process))
    await open({
      config,
      replica,
      logger,
      step: openStep(name, points),
      crashPoints: points,
      tracing: endpoint === '' ? undefined : await openTracing({ name, replica }, stack, logger),
      stack,
      shutdown: shutdown.signal,
    })
    if (!shutdown.signal.aborted) {
      logger.info('ready')
      process.send?.('ready')
      await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve))
    }
    logger.info('ending')
  } catch (error) {
    if (shutdown.signal.aborted) return close(0)
    const reason = sentence(error)
    if (reason === undefined) throw error
    process.stderr.write(`${name} cannot start: ${reason}\n`)
    return close(1)
  }
  return close(0)
}
