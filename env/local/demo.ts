/**
 * How is the shop on this machine harmed for show, so that a stranger sees it survive?
 *
 * The gateway asks for it (`gateway/console/demo.ts`), since somebody pressed a button of the console. A part is *killed* (and
 * started again, as after any death), *frozen* for some seconds, or a Redis is *set back*: it comes back as it was some seconds
 * before, and has forgotten what it acknowledged since. Customers are let in, and leave by themselves. Each of these ends by
 * itself, and none is done twice at once.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { DemoState } from '../../gateway/console/demo.ts'
import { type Customers, letCustomersIn } from './customers.ts'
import type { Part } from './managed-process.ts'
import { openMoments } from './moments.ts'
import type { RedisPart } from './parts.ts'
import type { Shop } from './shop.ts'

const FREEZE_MS = 5_000
/** So long it is not killed once more. */
const KILL_AGAIN_MS = 2_000
const TELL_MS = 1_000

/** What the gateway asks. */
type Asked = { readonly type: 'demo'; readonly id: number; readonly what: string; readonly part: string }

export type Demo = {
  readonly letIn: () => void
  readonly stop: () => Promise<void>
}

export type DemoOptions = {
  readonly shop: Pick<Shop, 'url' | 'gateway' | 'services' | 'redis'>
  /** A merchant's token, where tokens are wanted; `''`: none. */
  readonly token: string
  readonly say: (line: string) => void
}

const isAsked = (message: unknown): message is Asked =>
  typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'demo'

type Doing = { readonly what: string; readonly until: number }

/** Parts are harmed by these, one thing is done to each part at a time. */
const openHarms = ({ shop: { services, redis }, say }: DemoOptions) => {
  const parts = new Map<string, Part>(Object.values(services).flatMap((all) => all.map((part) => [part.name, part])))
  const masters = new Map<string, RedisPart>([redis.order, redis.payment, redis.stock].map((part) => [part.name, part]))
  const moments = openMoments([...masters.values()], say)
  const doing = new Map<string, Doing>()

  /** Does it until it is over. */
  const whileDoing = (name: string, what: string, act: () => Promise<unknown>): null => {
    say(`${name} is ${what}`)
    doing.set(name, { what, until: Date.now() + FREEZE_MS })
    void act()
      .catch((error: Error) => say(`${name} could not be ${what}: ${error.message}`))
      .finally(() => doing.delete(name))
    return null
  }
  /** It is started again as after any death. */
  const killed = async (part: Part): Promise<void> => {
    await part.kill()
    await after(KILL_AGAIN_MS, undefined, { ref: false })
  }
  const frozen = async (part: Part): Promise<void> => {
    part.freeze()
    await after(FREEZE_MS, undefined, { ref: false })
    part.thaw()
  }
  const setBack = async (part: RedisPart): Promise<void> => {
    const refusal = await moments.setBack(part)
    say(refusal === null ? `${part.name} has come back older` : `${part.name} was not set back: ${refusal}`)
  }

  return {
    parts: [...parts.keys()],
    redis: [...masters.keys()],
    doing: () => [...doing].map(([part, { what, until }]) => ({ part, what, until })),
    stop: moments.stop,
    /** @returns why not, in words, if it is not done */
    harm: (what: string, name: string): string | null => {
      if (doing.has(name)) return `${name} is ${doing.get(name)?.what} already`
      const [part, master] = [parts.get(name), masters.get(name)]
      if (what === 'set-back' && master) return whileDoing(name, 'set back', () => setBack(master))
      if (part === undefined || what === 'set-back') return `there is no part "${name}" to which that can be done`
      if (part.state !== 'up') return `${name} is down`
      return what === 'kill'
        ? whileDoing(name, 'killed', () => killed(part))
        : whileDoing(name, 'frozen', () => frozen(part))
    },
  }
}

export const openDemo = (options: DemoOptions): Demo => {
  const { shop, token, say } = options
  const { gateway } = shop
  const harms = openHarms(options)
  let customers: Customers | undefined

  const state = (): DemoState => ({
    parts: harms.parts,
    redis: harms.redis,
    customers: customers ? { until: customers.until, checkouts: customers.checkouts() } : null,
    doing: harms.doing(),
  })
  const tellState = (): void => {
    if (gateway.state === 'up') gateway.say({ type: 'demo-state', state: state() })
  }
  const timer = setInterval(tellState, TELL_MS)

  const letIn = (): void => {
    if (customers !== undefined) return
    say('customers are let in, for five minutes')
    customers = letCustomersIn({ url: shop.url, token })
    void customers.gone.then(() => {
      customers = undefined
      say('the customers have left')
    })
  }

  /** @returns why not, in words, if it is not done */
  const obey = ({ what, part }: Asked): string | null => {
    if (what === 'let-in') letIn()
    else if (what === 'send-home') customers?.leave()
    else return harms.harm(what, part)
    return null
  }

  const forget = gateway.onMessage((message) => {
    if (!isAsked(message)) return
    gateway.say({ type: 'demo-done', id: message.id, refusal: obey(message) })
    tellState()
  })
  tellState()

  return {
    letIn,
    stop: async () => {
      clearInterval(timer)
      forget()
      harms.stop()
      customers?.leave()
      await customers?.gone
    },
  }
}
