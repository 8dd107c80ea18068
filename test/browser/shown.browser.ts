/** What the page shows of what it is told, in a browser, in front of a gateway without services. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openShop } from '../support/shop/gateway.ts'
import { openBrowser, violationsOf, visit } from './chromium.ts'

const SOON = { timeout: 45_000 }
/** When all of it is told. */
const AT = Date.UTC(2026, 10, 29, 12)

let browser: Browser
test.before(async () => {
  browser = await openBrowser()
})
test.after.always(() => browser?.close())

/** What the page shows to those that use the keyboard: where they are. */
const focused = (page: Page) =>
  page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText')

type Told = { readonly answers?: Readonly<Record<string, object>>; readonly demo?: object }

/** The page asks for events as ever, and gets a stream of these, which does not end, and to which more can be told. */
const toldBy = (events: string): string => `{
  const ask = globalThis.fetch
  const start = (all) => {
    globalThis.tellConsole = (event) => all.enqueue(new TextEncoder().encode(event))
    globalThis.tellConsole(${JSON.stringify(events)})
  }
  globalThis.fetch = async (path, options) =>
    path === '/events' ? new Response(new ReadableStream({ start })) : ask(path, options)
}`
const eventOf = (name: string, told: object): string => `event: ${name}\ndata: ${JSON.stringify(told)}\n\n`
const EMPTY = { at: AT, consoles: 1, services: [], seconds: [], checkouts: [], audits: [], answers: {} }
const tellNews = (page: Page, told: object) =>
  page.evaluate(`tellConsole(${JSON.stringify(eventOf('news', { ...EMPTY, ...told }))})`)

/** A console that is told this. */
const look = async (t: ExecutionContext, told: Told, options: BrowserContextOptions = {}): Promise<Page> => {
  const { origin } = await openShop(t, { waitMs: 100 })
  const { page } = await visit(t, browser, { viewport: { width: 1280, height: 900 }, ...options })
  await page.addInitScript(toldBy(eventOf('whole', { ...EMPTY, ...told })))
  await page.goto(origin)
  return page
}
const answered = (body: object, ageMs = 0) => ({ at: AT - ageMs, status: 200, body })

const sums = { added: '10', paid: '0', accepted: '0', in_flight: '0' }
const audited = (balanced: boolean, ageMs = 0, mismatches: readonly object[] = []) =>
  answered(
    {
      balanced,
      credit: { ...sums, wallets: '10' },
      stock: { ...sums, shelf: '10', sold: '0', written_off: '0' },
      mismatches,
    },
    ageMs,
  )
const demo = { parts: ['order-1', 'payment-1', 'stock-1'], redis: ['payment-redis'], customers: null, doing: [] }

test('a verdict that is older than usual says how old it is, and is not green', async (t) => {
  for (const [balanced, ageMs, kind, words] of [
    [true, 4_000, 'good', ['balanced', 'all money and goods are there']],
    [true, 27_000, 'off', ['balanced, as of 27.0 s ago', 'all money and goods are there, as of 27.0 s ago']],
    [false, 4_000, 'bad', ['not balanced', 'the audit does not add up']],
    [false, 27_000, 'bad', ['not balanced, as of 27.0 s ago', 'the audit does not add up, as of 27.0 s ago']],
  ] as const) {
    const page = await look(t, { answers: { audit: audited(balanced, ageMs) }, demo })
    const verdicts = [page.locator('#audit .head .tag'), page.locator('#demo .head .tag')]
    for (const [at, verdict] of verdicts.entries()) {
      await verdict.waitFor(SOON)
      t.is(await verdict.innerText(), words[at] ?? '')
      t.is(await verdict.getAttribute('class'), `tag ${kind}`)
    }
    t.deepEqual(await violationsOf(page), [])
  }
})

const contradictions = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    order_id: `order${at}`,
    log_id: `saga${at}`,
    by: 'out-of-credit',
    since: '2026-11-29T11:59:00.000Z',
  }))

test('before a Redis is set back it is said that a person may be needed; then the card leads to what is contradicted', async (t) => {
  const before = await look(t, { answers: { contradictions: answered({ contradictions: [] }) }, demo })
  t.is(await before.locator('#demo').getByText('contradicted').count(), 0)
  await before.getByRole('button', { name: 'set back payment-redis' }).click(SOON)
  await before.getByRole('dialog').getByText('once a person has resolved').waitFor(SOON)
  t.deepEqual(await violationsOf(before), [])

  const page = await look(t, { answers: { contradictions: answered({ contradictions: contradictions(7) }) }, demo })
  const card = page.locator('#demo')
  await card.getByText('7 orders contradicted').waitFor(SOON)
  await card.getByText('and 2 more').waitFor(SOON)
  t.deepEqual(await violationsOf(page), [])
  await card.getByRole('link', { name: 'order1' }).click(SOON)
  await page.getByRole('heading', { name: 'checkout saga1' }).waitFor(SOON)
})

test('what is contradicted is among the checkouts, although the page has seen nothing of it', async (t) => {
  const page = await look(t, { answers: { contradictions: answered({ contradictions: contradictions(2) }) } })
  const card = page.locator('#checkouts')
  await card.getByRole('combobox', { name: 'show' }).selectOption('contradicted', SOON)
  const rows = card.locator('tbody tr')
  await rows.nth(1).waitFor(SOON)
  t.is(await rows.count(), 2)
  t.deepEqual(await rows.first().locator('td').allInnerTexts(), [
    'order0',
    'contradicted',
    '–',
    '–',
    '–',
    'not enough credit',
  ])
  t.deepEqual(await violationsOf(page), [])
  await card.getByRole('button', { name: 'order1' }).click()
  await page.getByRole('heading', { name: 'checkout saga1' }).waitFor(SOON)
})

test('what a Redis has lost is listed by a request that is told; what is not known is not said to be well', async (t) => {
  const lostBy = (named: number) => ({
    lost_tails: [{ speaker: 'payment', noticed: '2026-11-29T11:59:00.000Z', after: '1-0', until: '2-0', named }],
    readers: [],
  })
  const readers = (named: number) => answered([{ origin: 'http://127.0.0.1:1', body: lostBy(named) }])
  const page = await look(t, {
    answers: { 'readers.order': readers(52), 'readers.stock': readers(1), 'readers.payment': readers(0) },
  })
  const card = page.locator('#shop')
  await card
    .getByText(/52 entries are lost, which POST \/orders\/fault_tolerance and the log of order list by name/)
    .waitFor(SOON)
  await card.getByRole('button', { name: 'copy as curl: what order noticed' }).waitFor(SOON)
  await card.getByText(/one entry is lost, which POST \/stock\/fault_tolerance/).waitFor(SOON)
  await card.getByText(/nothing is lost that is not told again/).waitFor(SOON)
  t.deepEqual(await violationsOf(page), [])

  const unknown = await look(t, { answers: { contradictions: { at: AT, status: 504, body: null } } })
  await unknown.locator('#shop').getByText('whether anything is contradicted is not known now').waitFor(SOON)
})

test('a button keeps the focus while what it does is being done, and gets it back from a dialog', async (t) => {
  const page = await look(t, { demo })
  await page.route('**/console/demo/**', (route) => route.fulfill({ json: {} }))
  const is = async (name: string, isBusy: boolean): Promise<void> => {
    await page.locator(`button[aria-label="${name}"][aria-disabled="${isBusy}"]`).waitFor(SOON)
    t.is(await focused(page), name)
  }
  const tellDoing = (parts: readonly string[]) =>
    tellNews(page, { demo: { ...demo, doing: parts.map((part) => ({ part, what: 'killed', until: AT + 5_000 })) } })
  for (const [name, part] of [
    ['kill payment-1', 'payment-1'],
    ['freeze stock-1', 'stock-1'],
  ] as const) {
    await page.getByRole('button', { name }).focus()
    await page.keyboard.press('Enter')
    await tellDoing([part])
    await is(name, true)
    await tellDoing([])
    await is(name, false)
  }
  await page.getByRole('button', { name: 'set back payment-redis' }).focus()
  for (const answer of ['not now', 'set back']) {
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click(SOON)
    await page.getByRole('dialog').waitFor({ state: 'detached', ...SOON })
    await tellDoing([])
    await is('set back payment-redis', false)
  }
  await page.getByRole('button', { name: 'let customers in' }).focus()
  await tellNews(page, { demo: { ...demo, customers: { until: AT, checkouts: 3 } } })
  await page.getByRole('button', { name: 'send customers home' }).waitFor(SOON)
  t.is(await focused(page), 'send customers home')
})

test('what does not add up is no wider than a narrow page, however long its names are', async (t) => {
  const names = Array.from({ length: 40 }, (_, at) => `item${at}:1`).join(',')
  const mismatches = [{ what: 'stock', detail: `the log says ${names}`, orders: ['o'.repeat(64)] }]
  const page = await look(
    t,
    { answers: { audit: audited(false, 0, mismatches) } },
    { viewport: { width: 390, height: 800 } },
  )
  await page.locator('#audit li').waitFor(SOON)
  t.is(await page.evaluate('document.documentElement.scrollWidth'), 390)
  t.deepEqual(await violationsOf(page), [])
})

test('what was done fades with its text, and is empty then', async (t) => {
  const page = await look(t, { demo })
  await page.route('**/console/demo/**', (route) => route.fulfill({ json: {} }))
  await page.getByRole('button', { name: 'kill payment-1' }).click(SOON)
  const told = page.locator('.told.shown')
  await told.waitFor(SOON)
  const fading = page.evaluate(`new Promise((resolve) => {
    const told = document.querySelector('.told')
    const look = () => told.classList.contains('shown') || resolve(told.textContent)
    new MutationObserver(look).observe(told, { attributes: true })
  })`)
  t.is(await fading, 'payment-1 is killed')
  await page.locator('.told:empty').waitFor({ state: 'attached', ...SOON })
})
