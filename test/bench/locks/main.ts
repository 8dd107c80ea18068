/** Measures how the lock service bears many: `npm run bench:locks`. The only file of it that sees `process`. */
import { UsageError } from '../../../env/command-line.ts'
import { parseNumber, readOptions } from '../../support/command-line.ts'
import { measureScale } from './scale.ts'

const MOST = 1_000_000
const HELP = `Measures how the lock service bears many: starts a shop of its own.

  npm run bench:locks -- [options]

  --held N       how many locks are held at once, up to ${MOST} (default 100000)
  --waiting N    how many clients wait at once, ten for each lock, up to 10000 (default 5000)
  --watchers N   how many clients watch, up to 1000 (default 1000)`

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const main = async (): Promise<void> => {
  const option = { type: 'string' } as const
  const line = process.argv.slice(2)
  const given = readOptions(line, { held: option, waiting: option, watchers: option, help: { type: 'boolean' } })
  if (given.help) return say(HELP)
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => ending.abort())
  const options = {
    held: parseNumber('held', given.held ?? '100000', 0, MOST),
    waiting: parseNumber('waiting', given.waiting ?? '5000', 0, 10_000),
    watchers: parseNumber('watchers', given.watchers ?? '1000', 0, 1_000),
  }
  await measureScale(options, say, ending.signal)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
