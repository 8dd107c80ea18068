/** Runs the benchmark: `npm run bench`. The only file of it, beside its processes, that sees `process`. Ctrl-C ends it in order. */

import { UsageError } from '../../env/command-line.ts'
import { PartError } from '../../env/local/managed-process.ts'
import { RedisProgramError } from '../../env/local/redis-program.ts'
import { bench } from './bench.ts'
import { HELP, parseOptions } from './options.ts'
import { SeedError } from './seed.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const sentenceOf = (error: unknown): string | undefined => {
  if (error instanceof UsageError) return `${error.message}; npm run bench -- --help shows the options`
  if (error instanceof SeedError || error instanceof PartError || error instanceof RedisProgramError)
    return error.message
  return undefined
}

const main = async (): Promise<boolean> => {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    say(HELP)
    return true
  }
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => ending.abort(new DOMException('the benchmark was given up', 'AbortError')))
  try {
    return await bench(options, say, ending.signal)
  } catch (error) {
    if (!ending.signal.aborted) throw error
    say('Given up; everything that was started has ended.')
    return false
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  const sentence = sentenceOf(error)
  if (sentence === undefined) throw error
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
}
