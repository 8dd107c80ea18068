/** What is to be measured? The command line, read and checked; everything that is wrong with it is one sentence. */
import { availableParallelism } from 'node:os'
import { UsageError } from '../../env/command-line.ts'
import { parseNumber, readOptions } from '../support/command-line.ts'
import { type RouteName, routeNames, writes } from './routes.ts'
import { THINGS_MAX } from './seed.ts'

const DEFAULTS = {
  ...{ seconds: '10', 'warm-up': '15', connections: '1,16,64,256', runs: '1', route: 'checkout', finished: '0' },
  ...{ appendfsync: 'always', replicas: '1' },
}
const SECONDS_MAX = 600
const RUNS_MAX = 25
/** A request under way takes a port and two file descriptors of the gateway; Node raises its limit of those by itself. */
const CONNECTIONS_MAX = 4_096
const RATE_MAX = 50_000
/** As many as a gateway tells. */
const CONSOLES_MAX = 2_000
const REPLICAS_MAX = 10
/** How many connections find the peak, of which an open loop takes a part. */
export const PEAK_CONNECTIONS = 64
const ROUTES_PER_LINE = 7
/** How many requests of an open loop may be under way. */
export const UNDER_WAY_MAX = 4_000

export const HELP = `Measures the shop: starts one of its own, fills it, checks orders out, and counts the money and the goods.

  npm run bench -- [options]

How fast is it?
  --connections N,N,...       how many requests are under way at once, each connection sending its next one as soon as the
                              last is answered; one run for each, 1 to ${CONNECTIONS_MAX} (default ${DEFAULTS.connections})
  --seconds N                 how long each run takes, 1 to ${SECONDS_MAX} (default ${DEFAULTS.seconds})
  --warm-up N                 for how many seconds before that ${PEAK_CONNECTIONS} connections are served unmeasured, 1 to ${SECONDS_MAX}
                              (default ${DEFAULTS['warm-up']}): a shop that has just started is still being compiled
  --runs N                    measures each N times in turn, and tells the median, 1 to ${RUNS_MAX} (default ${DEFAULTS.runs})
  --route NAME                ${routeNames.slice(0, ROUTES_PER_LINE).join(', ')},
                              ${routeNames.slice(ROUTES_PER_LINE).join(', ')}
                              (default ${DEFAULTS.route}); those that write write one piece, and "place" an order of two lines
  --with NAME                 measures that route in turn with --route in the same shop, 2 s each, A B B A, and tells the ratio
  --consoles N                measures in turn with and without so many consoles that look, 2 s each, A B B A, and tells the ratio;
                              1 to ${CONSOLES_MAX}; the load generator's machine reads them, too
  --appendfsync always|everysec   what each Redis does before it acknowledges (default ${DEFAULTS.appendfsync})
  --replicas N                how many processes each service has, 1 to ${REPLICAS_MAX} (default ${DEFAULTS.replicas})
  --hot-item                  all orders want the same item
  --hot-user                  all orders are one customer's
  --auth                      clients bear a token, which the gateway verifies: with --compare, what that costs
  --no-limits                 does not measure the two limits: Koa through the same gateway, one script in one Redis
  --profile DIR               writes a CPU profile of each process of the shop into DIR, and says what took the time

How does it bear a load that does not wait?
  --rate N | P%               so many requests a second instead of --connections, or so much of the peak that is measured
                              just before with ${PEAK_CONNECTIONS} connections. Each is sent when it is due, whatever became of the others,
                              and its latency counts from then; at most ${UNDER_WAY_MAX} are under way, the rest is told apart
  --obey-retry-after          a connection whose request was turned away (429, or 503 with Retry-After) waits as it is asked
                              to. Default: it goes on at once with the next one, which is the harder load. What is turned
                              away is told apart, is never a success, and must not have been begun

What does it cost to have much?
  --users N, --items N, --orders N   how many there are, 1 to ${THINGS_MAX}. Default: 10,000 users and items, and as many orders
                              as the runs may need; fewer orders end them when they are used up
  --finished N                checks so many orders out before anything is measured (default ${DEFAULTS.finished})

How fast are others?
  --url http://HOST:PORT      measures a shop that runs already. THIS REPLACES its users, items and orders 0, 1, 2, ...
                              Its processes are not seen: no CPU times, no --appendfsync, --replicas, --profile
  --compare http://HOST:PORT  measures another implementation of the same routes in turn with a shop of its own, 2 s each,
                              A B B A, and tells the ratio. THIS REPLACES the other's users, items and orders
  --compare open              the same with a second shop of its own, whose clients need not say who they are: then the CPU of
                              both is known
  --help                      this text

OPERATOR_TOKEN, if it is set, is sent with what only operators may do. The exit code is 1 if money or goods are missing,
if anything was answered but 200 (or that it comes too early), or if an open loop could not send what was due. How the shop
bears harm is for npm run drill.`

/** So many requests a second, or so large a part of the peak. */
export type Rate = { readonly perSecond: number } | { readonly ofPeak: number }

export type Options = {
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly connections: readonly number[]
  readonly runs: number
  readonly route: RouteName
  /** The one that is measured in turn with it. */
  readonly with: RouteName | undefined
  /** How many consoles look in every other turn. */
  readonly consoles: number | undefined
  readonly appendfsync: 'always' | 'everysec'
  readonly replicas: number
  readonly hotItem: boolean
  readonly hotUser: boolean
  /** Do its clients bear tokens? */
  readonly auth: boolean
  readonly limits: boolean
  /** Where the profiles are written, if they are wanted. */
  readonly profile: string | undefined
  /** An open loop instead of closed ones. */
  readonly rate: Rate | undefined
  readonly obeysRetryAfter: boolean
  readonly users: number | undefined
  readonly items: number | undefined
  readonly orders: number | undefined
  readonly finished: number
  /** The address of a running shop, instead of one of its own. */
  readonly url: string | undefined
  /** The address of another shop, beside one of its own; or `open`: one more of its own. */
  readonly compare: string | undefined
}

/** How many cores everything shares, load generator included. */
export const cores = availableParallelism()

const parseUrl = (option: string, value: string): string => {
  const url = URL.parse(value)
  if (url?.protocol === 'http:' && url.pathname === '/' && url.search === '') return url.origin
  throw new UsageError(`--${option} takes an address as http://127.0.0.1:8000, not "${value}"`)
}

const oneOf = <Word extends string>(option: string, value: string, words: readonly Word[]): Word => {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new UsageError(`--${option} takes one of ${words.join(', ')}, not "${value}"`)
}

const parseRate = (value: string): Rate =>
  value.endsWith('%')
    ? { ofPeak: parseNumber('rate', value.slice(0, -1), 1, 500) / 100 }
    : { perSecond: parseNumber('rate', value, 1, RATE_MAX) }

const read = (line: readonly string[]) => {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  return readOptions(line, {
    ...{
      connections: option,
      seconds: option,
      'warm-up': option,
      runs: option,
      route: option,
      with: option,
      consoles: option,
      appendfsync: option,
      replicas: option,
    },
    ...{ 'hot-item': flag, 'hot-user': flag, 'no-limits': flag, auth: flag, profile: option },
    ...{ rate: option, 'obey-retry-after': flag },
    ...{ users: option, items: option, orders: option, finished: option },
    ...{ url: option, compare: option },
    help: { type: 'boolean', short: 'h' },
  })
}
type Given = ReturnType<typeof read>

/** Which options cannot be given together, and why not. */
const CONFLICTS: readonly (readonly [keyof Given, readonly (keyof Given)[], string])[] = [
  [
    'url',
    ['appendfsync', 'replicas', 'profile', 'compare', 'auth'],
    "is for a shop of the benchmark's own, not for one at --url",
  ],
  ['rate', ['connections', 'compare'], 'does not go with --rate'],
  ['compare', ['profile', 'runs', 'finished', 'with'], 'does not go with --compare'],
  ['with', ['profile', 'runs', 'finished', 'rate'], 'does not go with --with'],
  ['consoles', ['compare', 'with', 'rate', 'auth', 'profile', 'runs', 'finished'], 'does not go with --consoles'],
  ['hot-item', ['items'], 'does not go with --hot-item'],
  ['hot-user', ['users'], 'does not go with --hot-user'],
]

const refuseConflicts = (given: Given): void => {
  for (const [option, others, why] of CONFLICTS) {
    const other = given[option] === undefined ? undefined : others.find((name) => given[name] !== undefined)
    if (other !== undefined) throw new UsageError(`--${other} ${why}`)
  }
  if (given.finished !== undefined && (given.route ?? DEFAULTS.route) !== DEFAULTS.route)
    throw new UsageError(`--finished goes with --route ${DEFAULTS.route}`)
}

const pairOf = (name: string, other: string | undefined): Pick<Options, 'route' | 'with'> => {
  const route = oneOf('route', name, routeNames)
  if (other === undefined) return { route, with: undefined }
  const second = oneOf('with', other, routeNames)
  if ([route, second].includes('checkout'))
    throw new UsageError('--with takes a route, and goes with one, that can be asked for ever, which a checkout cannot')
  if (route === second || (writes(route) && writes(second)))
    throw new UsageError('--with takes another route than --route, and not two that write')
  return { route, with: second }
}

const parseConnections = (value: string): number[] =>
  value.split(',').map((one) => parseNumber('connections', one, 1, CONNECTIONS_MAX))

/** @throws UsageError */
export const parseOptions = (line: readonly string[]): Options | 'help' => {
  const given = read(line)
  if (given.help) return 'help'
  refuseConflicts(given)
  const { seconds, 'warm-up': warmUp, runs, route, appendfsync, replicas, finished } = { ...DEFAULTS, ...given }
  const things = (name: 'users' | 'items' | 'orders'): number | undefined => {
    const value = given[name]
    return value === undefined ? undefined : parseNumber(name, value, 1, THINGS_MAX)
  }
  return {
    seconds: parseNumber('seconds', seconds, 1, SECONDS_MAX),
    warmUpSeconds: parseNumber('warm-up', warmUp, 1, SECONDS_MAX),
    connections: parseConnections(given.connections ?? DEFAULTS.connections),
    runs: parseNumber('runs', runs, 1, RUNS_MAX),
    ...pairOf(route, given.with),
    consoles: given.consoles === undefined ? undefined : parseNumber('consoles', given.consoles, 1, CONSOLES_MAX),
    appendfsync: oneOf('appendfsync', appendfsync, ['always', 'everysec']),
    replicas: parseNumber('replicas', replicas, 1, REPLICAS_MAX),
    hotItem: given['hot-item'] ?? false,
    hotUser: given['hot-user'] ?? false,
    auth: given.auth ?? false,
    limits: !given['no-limits'],
    profile: given.profile,
    rate: given.rate === undefined ? undefined : parseRate(given.rate),
    obeysRetryAfter: given['obey-retry-after'] ?? false,
    users: things('users'),
    items: things('items'),
    orders: things('orders'),
    finished: parseNumber('finished', finished, 0, THINGS_MAX),
    url: given.url === undefined ? undefined : parseUrl('url', given.url),
    compare:
      given.compare === undefined || given.compare === 'open' ? given.compare : parseUrl('compare', given.compare),
  }
}
