/**
 * In what order is a drill done?
 *
 * A shop is started and stocked, and its doors are opened; the faults strike as planned, while it is looked at from behind.
 * When the time is over the doors are closed, everybody inside is served, the shop comes to rest, and what everybody was
 * told is compared with what is there. A drill that is ended early does the rest of this at once.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Shop, type ShopEvent, startShop } from '../../env/local/shop.ts'
import { type History, openHistory } from '../support/checker/history.ts'
import { findAnomalies, settle } from '../support/checker/invariants.ts'
import { openFabric } from '../support/faults/proxy.ts'
import type { Client } from '../support/shop/client.ts'
import { type Nemesis, openNemesis, type Struck, type Turn } from './faults.ts'
import { openHeaps } from './heaps.ts'
import { bearingNothing, type Identities, openIdentities } from './identities.ts'
import { type Names, populate, type Shopping, startShopping } from './load.ts'
import { every, type Lookout, openLookout } from './lookout.ts'
import { type Meter, openMeter } from './meter.ts'
import { commandOf, NETWORK_KINDS, type Options } from './options.ts'
import { type Population, planFaults, planPopulation } from './plan.ts'
import { makeItems, type Programs, startPrograms } from './programs.ts'
import { openTrespass, SEEN_MS, type Trespass } from './trespass.ts'
import { judgeTurns } from './turns.ts'
import { type Findings, oddRefusals, wordsOf, wrongs } from './verdict.ts'
import { type Scene, seconds } from './view.ts'

/** Where a drill is watched from. */
export type Stage = {
  /** Something happened. */
  readonly say: (text: string) => void
  /** The shop is open. */
  readonly open: (shop: Shop) => void
  /** How everything is at this moment. */
  readonly show: (scene: Scene) => void
  /** There is nothing more to be seen but the verdict. */
  readonly end: () => void
}

const SHOW_MS = 250
/** A checkout is decided within its deadline of 10 s, and settled soon after; the log parser runs every 5 s. */
const SETTLE_MS = 30_000
const LOCKS_MS = 5_000
/** A gateway asks the issuer for its keys not within ten seconds after the last time. */
const TURN_MS = 12_000

const loadOf = ({ load }: Options): string =>
  load.loop === 'open' ? `${load.perSecond} requests/s` : `${load.customers} customers`

const TURNS: Readonly<Record<Turn, (struck: Struck) => string>> = {
  strikes: () => '',
  'is healed': ({ healedMs = 0, begunMs }) => `: over after ${seconds(healedMs - begunMs)}`,
  'has settled': ({ settledMs = 0 }) => `: settled ${seconds(settledMs)} later`,
}

/** A shop of the drill's own, with what may lie between its processes; its unbidden deaths are kept. */
const openShop = async (options: Options, stage: Stage, signal: AbortSignal) => {
  const stack = new AsyncDisposableStack()
  const isNetworked = options.choices.some(({ kind }) => NETWORK_KINDS.has(kind))
  const fabric = isNetworked ? stack.use(openFabric()) : undefined
  const heaps = stack.use(openHeaps())
  const deaths: string[] = []
  /** Whether a death is a fault that was planned; before the first one none is. */
  let isBidden: Nemesis['isBidden'] = () => false
  const onEvent = (event: ShopEvent): void => {
    if (event.type === 'note') stage.say(event.text)
    if (event.type !== 'died' || isBidden(event.part)) return
    deaths.push(`${event.part} ${event.how}`)
    stage.say(`${event.part} ${event.how}; the end of its log:\n${event.tail}`)
  }
  const { replicas, port } = options
  try {
    const dir = await mkdtemp(join(tmpdir(), 'shop-drill-'))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const identities = options.auth ? stack.use(await openIdentities(join(dir, 'keys'))) : undefined
    const shop = stack.use(
      await startShop({
        dir,
        replicas,
        port,
        signal,
        onEvent,
        env: { all: { ...heaps.environment, ...identities?.variables } },
        ...(fabric && { route: fabric.route }),
      }),
    )
    const bid = (nemesis: Nemesis): void => {
      isBidden = nemesis.isBidden
    }
    return { shop, fabric, heaps, identities, deaths, bid, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
type OpenShop = Awaited<ReturnType<typeof openShop>>

/** Everything that goes on from the opening of the doors to the verdict. */
type Exercise = {
  readonly shop: Shop
  readonly client: Client
  readonly deaths: readonly string[]
  readonly nemesis: Nemesis
  readonly meter: Meter
  readonly shopping: Shopping
  readonly trespass: Trespass | undefined
  readonly programs: Programs | undefined
  readonly lookout: Lookout
  readonly clock: () => number
  readonly plan: ReturnType<typeof planFaults>
}

const bearingOf = (identities: Identities | undefined) => identities?.bearing ?? bearingNothing

type Crowd = {
  readonly client: Client
  readonly population: Population
  readonly names: Names
  /** What programs write into, if there are any. */
  readonly items: ReadonlyMap<string, string> | undefined
}

const openDoors = (
  options: Options,
  stage: Stage,
  { shop, fabric, heaps, identities, deaths, bid }: OpenShop,
  crowd: Crowd,
): Exercise => {
  const startedAt = performance.now()
  const clock = (): number => performance.now() - startedAt
  const plan = planFaults(options)
  const meter = openMeter(clock)
  const tell = (struck: Struck, turn: Turn): void =>
    stage.say(`${struck.kind} ${struck.parts.join(', ')}${TURNS[turn](struck)}`)
  const nemesis = openNemesis({ shop, fabric, plan, clock, tell })
  bid(nemesis)
  const { load, seed, awayMs } = options
  const { client, items } = crowd
  const bearing = bearingOf(identities)
  const isHarmed = (): boolean =>
    nemesis.struck().some(({ parts, healedMs = clock() }) => parts.includes('gateway') && clock() - healedMs < SEEN_MS)
  const turnMs = Math.max(TURN_MS, 2 * awayMs)
  const trespass = identities && openTrespass({ origin: shop.url, identities, turnMs, isHarmed })
  const shopping = startShopping({ ...crowd, meter, bearing, peek: trespass?.peek, load, seed })
  const lookout = openLookout({ shop, client, bearing, meter, nemesis, heaps, shopping, clock })
  const headers = identities?.program ?? {}
  const programs = items && startPrograms({ origin: shop.url, client, headers, items })
  return { shop, client, deaths, nemesis, meter, shopping, trespass, programs, lookout, clock, plan }
}

/** Lets the faults strike for the time that was chosen, closes the doors, and waits until the shop is at rest. */
const carryOut = async (options: Options, stage: Stage, on: Exercise, signal: AbortSignal) => {
  const { shop, client, deaths, nemesis, shopping, trespass, programs, lookout, clock, plan } = on
  let phase: Scene['phase'] = 'shopping'
  const show = (): void => {
    const next = signal.aborted ? undefined : plan[nemesis.struck().length]
    stage.show({
      ...lookout.scene(phase),
      seed: options.seed,
      load: loadOf(options),
      leftMs: options.forMs - clock(),
      nextFaultMs: next && next.atMs - clock(),
      deaths,
      turns: programs?.honest.beliefs.length,
    })
  }
  const over = new AbortController()
  const showing = every(SHOW_MS, over.signal, show)

  const ending = AbortSignal.any([signal, AbortSignal.timeout(options.forMs)])
  const ended = new Promise<void>((resolve) => ending.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.all([nemesis.run(ending), trespass?.run(ending), ended])
  const ms = clock()
  phase = 'healing'
  await Promise.all([shopping.stop(), programs?.stop()])
  phase = 'settling'
  const visited = { shop, client, close: async () => client.close() }
  const settled = await settle(visited, { settleMs: SETTLE_MS, locksMs: LOCKS_MS }).then(
    (settledMs) => ({ ms: settledMs }),
    (error: Error) => ({ not: error.message }),
  )
  await lookout.stop()
  over.abort()
  await showing
  return { ms, settled }
}

const judge = async (
  options: Options,
  { operations }: History,
  { shop, client, deaths, nemesis, meter, shopping, trespass, programs, lookout }: Exercise,
  end: Awaited<ReturnType<typeof carryOut>>,
): Promise<Findings> => {
  const lost = nemesis.lost()
  const visited = { shop, client, close: async () => client.close() }
  const isFenceKept = !nemesis.struck().some(({ kind, parts }) => kind === 'lose-tail' && parts.includes('stock-redis'))
  return {
    ...end,
    anomalies: [
      ...(await findAnomalies(visited, { history: operations, lossy: lost.length > 0 })),
      ...oddRefusals(operations),
    ],
    lost,
    listed: await lookout.listed(),
    noticed: await lookout.noticed(),
    unbalanced: lookout.unbalanced(),
    deaths,
    internalErrors: operations.filter(({ status }) => status === 500).length,
    routes: meter.read(),
    struck: nemesis.struck(),
    growths: lookout.growths(),
    trespasses: trespass?.read(),
    turns: programs && judgeTurns(programs, isFenceKept),
    visits: shopping.visits(),
    turnedAway: shopping.turnedAway(),
    command: commandOf(options),
  }
}

/**
 * Drills a shop. Resolves to whether it kept its promises.
 * @throws what starting a shop throws; the reason of `signal`, if it comes before the doors are open
 */
export const drill = async (options: Options, stage: Stage, signal: AbortSignal): Promise<boolean> => {
  stage.say(`Seed ${options.seed}. ${commandOf(options)}`)
  await using opened = await openShop(options, stage, signal)
  stage.open(opened.shop)
  const history = openHistory()
  using stack = new DisposableStack()
  const client = history.client(opened.shop.url, 'drill')
  stack.defer(client.close)
  const population = planPopulation(options.load, options.seed)
  const names = await populate(client, bearingOf(opened.identities), population)
  const items = options.locks ? await makeItems(client, opened.identities?.program ?? {}) : undefined
  signal.throwIfAborted()
  stage.say(`The shop is open at ${opened.shop.url}, its data in ${opened.shop.dir}.`)

  const exercise = openDoors(options, stage, opened, { client, population, names, items })
  stack.use(exercise.lookout)
  stack.defer(() => exercise.trespass?.close())
  const end = await carryOut(options, stage, exercise, signal)
  stage.end()
  const findings = await judge(options, history, exercise, end)
  stage.say(`\n${wordsOf(findings)}`)
  return wrongs(findings).length === 0
}
