/**
 * Runs a drill: `npm run drill`. The only file of it that sees `process`. The first Ctrl-C ends the drill early, with its
 * verdict; a second one ends it at once. Either way the terminal is left as it was.
 */
import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { UsageError } from '../../env/command-line.ts'
import { DataFolderError } from '../../env/local/data-folder.ts'
import { PartError } from '../../env/local/managed-process.ts'
import { PortBusyError } from '../../env/local/ports.ts'
import { RedisProgramError } from '../../env/local/redis-program.ts'
import type { Shop } from '../../env/local/shop.ts'
import { drill, type Stage } from './drill.ts'
import { HELP, type Options, parseOptions, SEED_MAX } from './options.ts'
import { openScreen } from './screen.ts'
import { draw } from './view.ts'

/** One Ctrl-C under npm arrives twice, from the terminal and from npm: only what comes later is a second one. */
const SECOND_SIGNAL_MS = 500
const USAGE_EXIT = 2
const SMALLEST = { columns: 80, rows: 24 }

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** A terminal that was closed takes nothing more. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
})

/** Where a drill is watched from; main keeps the shop for itself. */
type View = Omit<Stage, 'open'>

const lineStage = (): View => {
  const startedAt = performance.now()
  const time = (): string => ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)
  return {
    say: (text) => say(text.startsWith('\n') ? text : `${time()}  ${text}`),
    show: () => undefined,
    end: () => undefined,
  }
}

const screenStage = (): View => {
  let screen: ReturnType<typeof openScreen> | undefined
  const end = (): void => screen?.close()
  process.on('exit', end)
  const { stdout } = process
  return {
    say: (text) => {
      if (screen === undefined || text.startsWith('\n')) say(text)
    },
    show: (scene) => {
      screen ??= openScreen(stdout)
      screen.show(draw(scene, { columns: stdout.columns || SMALLEST.columns, rows: stdout.rows || SMALLEST.rows }))
    },
    end,
  }
}

const sentenceOf = (error: unknown): string | undefined => {
  if (error instanceof UsageError) return `${error.message}; npm run drill -- --help shows the options`
  const known = [PartError, RedisProgramError, PortBusyError, DataFolderError]
  return known.some((kind) => error instanceof kind) ? (error as Error).message : undefined
}

const run = async (options: Options): Promise<boolean> => {
  const ending = new AbortController()
  let askedAt = 0
  let shop: Shop | undefined
  const leave = (): never => {
    for (const part of shop?.parts ?? []) part.kill()
    if (shop) rmSync(shop.dir, { recursive: true, force: true })
    process.exit(1)
  }
  const onSignal = (): void => {
    const now = performance.now()
    if (askedAt === 0) {
      askedAt = now
      ending.abort(new DOMException('the drill was ended', 'AbortError'))
    } else if (now - askedAt > SECOND_SIGNAL_MS) leave()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
  const stage = options.view && process.stdout.isTTY ? screenStage() : lineStage()
  const open = (opened: Shop): void => {
    shop = opened
  }
  try {
    return await drill(options, { ...stage, open }, ending.signal)
  } catch (error) {
    if (!ending.signal.aborted || error !== ending.signal.reason) throw error
    say('Given up before the shop was open.')
    return false
  }
}

try {
  const options = parseOptions(process.argv.slice(2), () => randomInt(SEED_MAX + 1))
  if (options === 'help') say(HELP)
  else process.exitCode = (await run(options)) ? 0 : 1
} catch (error) {
  const sentence = sentenceOf(error)
  if (sentence === undefined) throw error
  process.stderr.write(`${sentence}\n`)
  process.exitCode = error instanceof UsageError ? USAGE_EXIT : 1
}
