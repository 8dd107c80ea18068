/** What is to be drilled? The command line, read and checked; everything that is wrong with it is one sentence. */

import { UsageError } from '../../env/command-line.ts'
import { SERVICES } from '../../shared/contract/services.ts'
import { inWords, parseNumber, parseTime, readOptions } from '../support/command-line.ts'
import { FAULTS } from '../support/faults/catalogue.ts'

/** The faults of the catalogue that a drill does. */
export const kinds = ['kill', 'restart', 'freeze', 'refuse', 'black-hole', 'delay', 'lose-tail'] as const
export type Kind = (typeof kinds)[number]
/** Those that need something between the processes. */
export const NETWORK_KINDS: ReadonlySet<Kind> = new Set(['refuse', 'black-hole', 'delay'])

/** Of what a fault may be chosen: a service (one of its replicas), a Redis, the gateway; any of them; all at once. */
const TARGETS: readonly string[] = [
  ...SERVICES,
  ...SERVICES.map((service) => `${service}-redis`),
  'gateway',
  'any',
  'all',
]

const DEFAULTS = { every: '5s', away: '1s', load: '100', for: '60s', replicas: '1', port: '0' }
const FOR = { minMs: 1_000, maxMs: 2 * 3_600_000 }
const EVERY = { minMs: 500, maxMs: 600_000 }
const AWAY = { minMs: 0, maxMs: 120_000 }
const LOAD_MAX = 5_000
const CUSTOMERS_MAX = 1_000
const REPLICAS_MAX = 5
const PORT_MAX = 65_535
export const SEED_MAX = 2 ** 32 - 1

export const HELP = `Drills the shop: starts one of its own, lets customers in, does it harm, and says whether it kept its promises.

  npm run drill -- [options]

${kinds.map((kind) => `  --${`${kind} PART`.padEnd(16)}${FAULTS[kind].means}`).join('\n')}
                    PART: ${SERVICES.join(', ')}, each also with -redis,
                    gateway, any (another one each time), all (at once). Each may be given more than once
  --random          any of these but lose-tail, of any part (what is done if nothing is chosen)
  --every 5s        how long from one fault to the next, or a range: 5s-15s (default ${DEFAULTS.every})
  --away 1s         how long a fault lasts (default ${DEFAULTS.away}); shorter than --every
  --load N          so many requests are begun in a second, answered or not (default ${DEFAULTS.load})
  --customers N     instead: so many customers, each of whom waits for its answer before it goes on
  --for 60s         how long all this goes on (default ${DEFAULTS.for})
  --replicas N      how many processes each service has, 1 to ${REPLICAS_MAX} (default ${DEFAULTS.replicas})
  --auth            customers bear tokens of their own, of an issuer whose keys change meanwhile, and who sells bears keys that
                    are revoked
  --locks           programs take turns under locks besides, and one that believes for ever that it holds one is to be found;
                    if no fault is chosen, those of ids and its Redis are
  --seed N          draws the same faults and the same visits again (default: another one each time, which is said)
  --port N          the gateway's port (default: a free one)
  --no-view         a line for each event instead of one screen, as where there is no terminal
  --help            this text

Times are numbers with ms, s, m or h. Ctrl-C ends the drill early, with its verdict; a second one ends it at once. The exit
code is 0 if there was no anomaly, 1 if there was one, 2 if the options cannot be understood.`

/** A fault that was chosen, and of what. */
export type Choice = { readonly kind: Kind; readonly target: string }
export type Load =
  | { readonly loop: 'open'; readonly perSecond: number }
  | { readonly loop: 'closed'; readonly customers: number }

export type Options = {
  /** One of them is drawn each time. */
  readonly choices: readonly Choice[]
  readonly everyMs: { readonly min: number; readonly max: number }
  readonly awayMs: number
  readonly load: Load
  readonly forMs: number
  readonly replicas: number
  /** Do clients bear tokens? */
  readonly auth: boolean
  /** Do programs take turns under locks? */
  readonly locks: boolean
  readonly seed: number
  readonly port: number
  readonly view: boolean
}

export const RANDOM: readonly Choice[] = kinds
  .filter((kind) => kind !== 'lose-tail')
  .map((kind) => ({ kind, target: 'any' }))

/** What befalls those who keep locks. */
const OF_LOCKS: readonly Choice[] = kinds.flatMap((kind) =>
  (kind === 'lose-tail' ? ['ids-redis'] : ['ids', 'ids-redis']).map((target) => ({ kind, target })),
)

const parseRange = (option: string, value: string, bounds: { minMs: number; maxMs: number }): Options['everyMs'] => {
  const [first = '', last = first, ...more] = value.split('-')
  const [min, max] = [parseTime(option, first, bounds), parseTime(option, last, bounds)]
  if (more.length > 0 || min > max)
    throw new UsageError(`--${option} takes a time, or a range like 5s-15s, not "${value}"`)
  return { min, max }
}

const parseTarget = (kind: Kind, target: string): Choice => {
  const known = kind === 'lose-tail' ? TARGETS.filter((name) => /redis|any|all/.test(name)) : TARGETS
  if (known.includes(target)) return { kind, target }
  throw new UsageError(`--${kind} takes one of ${known.join(', ')}, not "${target}"`)
}

const parseLoad = (load: string | undefined, customers: string | undefined): Load => {
  if (load !== undefined && customers !== undefined) throw new UsageError('--customers is instead of --load')
  return customers === undefined
    ? { loop: 'open', perSecond: parseNumber('load', load ?? DEFAULTS.load, 1, LOAD_MAX) }
    : { loop: 'closed', customers: parseNumber('customers', customers, 1, CUSTOMERS_MAX) }
}

/** @throws UsageError */
export const parseOptions = (line: readonly string[], drawSeed: () => number): Options | 'help' => {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const part = { type: 'string', multiple: true } as const
  const given = readOptions(line, {
    ...{ kill: part, restart: part, freeze: part, refuse: part, 'black-hole': part, delay: part, 'lose-tail': part },
    ...{ every: option, away: option, load: option, customers: option, for: option },
    ...{ replicas: option, seed: option, port: option, random: flag, auth: flag, locks: flag, 'no-view': flag },
    help: { type: 'boolean', short: 'h' },
  })
  if (given.help) return 'help'
  const chosen = kinds.flatMap((kind) => (given[kind] ?? []).map((target) => parseTarget(kind, target)))
  const usual = given.locks ? OF_LOCKS : RANDOM
  const everyMs = parseRange('every', given.every ?? DEFAULTS.every, EVERY)
  const awayMs = parseTime('away', given.away ?? DEFAULTS.away, AWAY)
  if (awayMs >= everyMs.min) throw new UsageError(`--away must be shorter than --every, not "${inWords(awayMs)}"`)
  return {
    choices: given.random ? [...chosen, ...RANDOM] : chosen.length === 0 ? usual : chosen,
    everyMs,
    awayMs,
    load: parseLoad(given.load, given.customers),
    forMs: parseTime('for', given.for ?? DEFAULTS.for, FOR),
    replicas: parseNumber('replicas', given.replicas ?? DEFAULTS.replicas, 1, REPLICAS_MAX),
    auth: given.auth ?? false,
    locks: given.locks ?? false,
    seed: given.seed === undefined ? drawSeed() : parseNumber('seed', given.seed, 0, SEED_MAX),
    port: parseNumber('port', given.port ?? DEFAULTS.port, 0, PORT_MAX),
    view: !given['no-view'],
  }
}

const optionsOfLoad = (load: Load): string =>
  load.loop === 'open' ? `--load ${load.perSecond}` : `--customers ${load.customers}`

/** The command that repeats a drill. */
export const commandOf = ({ choices, everyMs, awayMs, load, forMs, replicas, auth, locks, seed }: Options): string => {
  const isRandom = RANDOM.every((choice) => choices.includes(choice))
  const chosen = isRandom ? choices.slice(0, -RANDOM.length) : choices
  const { min, max } = everyMs
  return [
    'npm run drill --',
    ...chosen.map(({ kind, target }) => `--${kind} ${target}`),
    ...(isRandom ? ['--random'] : []),
    `--every ${min === max ? inWords(min) : `${inWords(min)}-${inWords(max)}`}`,
    `--away ${inWords(awayMs)} ${optionsOfLoad(load)} --for ${inWords(forMs)}`,
    ...(replicas === 1 ? [] : [`--replicas ${replicas}`]),
    ...(auth ? ['--auth'] : []),
    ...(locks ? ['--locks'] : []),
    `--seed ${seed}`,
  ].join(' ')
}
