/** What is to be measured? The command line, read and checked; everything that is wrong with it is one sentence. */
import { availableParallelism } from 'node:os'
import { parseNumber, readOptions, UsageError } from '../support/command-line.ts'

const DEFAULTS = { seconds: '10', connections: '1,16,64,256', appendfsync: 'always', replicas: '1' }
const SECONDS_MAX = 600
const CONNECTIONS_MAX = 1_024
const REPLICAS_MAX = 10

export const HELP = `Measures the checkout: starts a shop of its own, fills it, checks orders out, and counts the money and the goods.

  npm run bench -- [options]

  --seconds N                 how long each run takes, 1 to ${SECONDS_MAX} (default ${DEFAULTS.seconds})
  --connections N,N,...       how many checkouts are under way at once, one run for each (default ${DEFAULTS.connections})
  --appendfsync always|everysec   what each Redis does before it acknowledges (default ${DEFAULTS.appendfsync})
  --replicas N                how many processes each service has, 1 to ${REPLICAS_MAX} (default ${DEFAULTS.replicas})
  --hot-item                  all orders want the same item
  --hot-user                  all orders are one customer's
  --no-limits                 does not measure the two limits: Koa through the same gateway, one script in one Redis
  --profile DIR               writes a CPU profile of each process of the shop into DIR, and says what took the time
  --url http://HOST:PORT      measures a shop that runs already. THIS REPLACES its users, items and orders 0, 1, 2, ...
                              Its processes are not seen: no CPU times, no --appendfsync, --replicas, --profile
  --help                      this text

OPERATOR_TOKEN, if it is set, is sent with what only operators may do. The exit code is 1 if money or goods are missing
or anything but 200 was answered.`

export type Options = {
  readonly seconds: number
  readonly connections: readonly number[]
  readonly appendfsync: 'always' | 'everysec'
  readonly replicas: number
  readonly hotItem: boolean
  readonly hotUser: boolean
  readonly limits: boolean
  /** Where the profiles are written, if they are wanted. */
  readonly profile: string | undefined
  /** The address of a running shop, instead of one of its own. */
  readonly url: string | undefined
}

/** How many cores everything shares, load generator included. */
export const cores = availableParallelism()

const parseUrl = (value: string): string => {
  const url = URL.parse(value)
  if (url?.protocol === 'http:' && url.pathname === '/' && url.search === '') return url.origin
  throw new UsageError(`--url takes an address as http://127.0.0.1:8000, not "${value}"`)
}

const parsePolicy = (value: string): Options['appendfsync'] => {
  if (value === 'always' || value === 'everysec') return value
  throw new UsageError(`--appendfsync takes always or everysec, not "${value}"`)
}

const read = (line: readonly string[]) => {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  return readOptions(line, {
    seconds: option,
    connections: option,
    appendfsync: option,
    replicas: option,
    'hot-item': flag,
    'hot-user': flag,
    'no-limits': flag,
    profile: option,
    url: option,
    help: { type: 'boolean', short: 'h' },
  })
}

/** @throws UsageError */
export const parseOptions = (line: readonly string[]): Options | 'help' => {
  const given = read(line)
  if (given.help) return 'help'
  const foreign = (['appendfsync', 'replicas', 'profile'] as const).find((name) => given[name] !== undefined)
  if (given.url !== undefined && foreign !== undefined)
    throw new UsageError(`--${foreign} is for a shop of the benchmark's own, not for one at --url`)
  const { seconds, connections, appendfsync, replicas } = { ...DEFAULTS, ...given }
  return {
    seconds: parseNumber('seconds', seconds, 1, SECONDS_MAX),
    connections: connections.split(',').map((value) => parseNumber('connections', value, 1, CONNECTIONS_MAX)),
    appendfsync: parsePolicy(appendfsync),
    replicas: parseNumber('replicas', replicas, 1, REPLICAS_MAX),
    hotItem: given['hot-item'] ?? false,
    hotUser: given['hot-user'] ?? false,
    limits: !given['no-limits'],
    profile: given.profile,
    url: given.url === undefined ? undefined : parseUrl(given.url),
  }
}
