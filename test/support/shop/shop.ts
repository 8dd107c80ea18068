/** A shop of real processes for a test or a whole file, and a customer in it; what its parts complained of is shown if a test fails. */
import type { ExecutionContext, TestFn } from 'ava'
import type { Part } from '../../../env/local/managed-process.ts'
import { type Shop, type ShopOptions, startShop } from '../../../env/local/shop.ts'
import { type Client, openClient } from './client.ts'

export type OpenShop = { readonly shop: Shop; readonly client: Client; readonly close: () => Promise<void> }

const TAIL_LINES = 200
const SHOWN_LINES = 12
/** What pino writes below the level of a warning. */
const QUIET = /^\{"level":[1-3]0,/

/** A shop and a customer in it, which whoever opens it must close. */
export const open = async (options: ShopOptions): Promise<OpenShop & AsyncDisposable> => {
  const shop = await startShop(options)
  const client = openClient(shop.url)
  const close = async (): Promise<void> => {
    client.close()
    // Its data goes with it: nobody waits for an end in order, which takes more than a second.
    await Promise.all(shop.parts.map((part) => part.kill()))
    await shop.stop()
  }
  return { shop, client, close, [Symbol.asyncDispose]: close }
}

const showTails = async (t: ExecutionContext, { shop }: OpenShop): Promise<void> => {
  for (const part of shop.parts) {
    if (part.name.endsWith('-redis')) continue
    const lines = (await part.tail(TAIL_LINES)).split('\n').filter((line) => line !== '' && !QUIET.test(line))
    t.log([`${part.name} is ${part.state}`, ...lines.slice(-SHOWN_LINES)].join('\n'))
  }
}

/** A customer who speaks to one process itself, as the gateway does, until the test ends. */
export const directTo = (t: ExecutionContext, { url }: Pick<Part, 'url'>): Client => {
  const client = openClient(url)
  t.teardown(client.close)
  return client
}

/** Brings back whatever a failed test has left frozen or down, for the next one. */
export const bringBack = async ({ shop }: OpenShop): Promise<void> => {
  for (const part of shop.parts) part.thaw()
  for (const part of shop.parts) await part.start()
}

/** A shop of the test's own, which ends with it. */
export const openShop = async (t: ExecutionContext, options: ShopOptions = {}): Promise<OpenShop> => {
  const opened = await open(options)
  t.teardown(async () => {
    if (!t.passed) await showTails(t, opened)
    await opened.close()
  })
  return opened
}

/** One shop for all tests of a file, which must run one after the other; what one has left frozen or down is brought back. */
export const shareShop = (test: TestFn, options: ShopOptions = {}): (() => OpenShop) => {
  let shared: OpenShop | undefined
  const get = (): OpenShop => {
    if (shared === undefined) throw new Error('the shop is not open yet')
    return shared
  }
  test.before(async (t) => {
    t.timeout(60_000)
    shared = await open(options)
  })
  test.afterEach.always(async (t) => {
    if (!t.passed && shared) await showTails(t, shared)
    if (shared && options.spare === undefined) await bringBack(shared)
  })
  test.after.always(async () => shared?.close())
  return get
}
