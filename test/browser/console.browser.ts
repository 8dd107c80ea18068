/** The console in a browser, in front of a running shop whose parts die. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type Demo, openDemo } from '../../env/local/demo.ts'
import { type Shop, startShop } from '../../env/local/shop.ts'
import { eventually } from '../support/eventually.ts'
import { comeBackOlder } from '../support/faults/catalogue.ts'
import { writtenTo } from '../support/faults/older-redis.ts'
import { openClient } from '../support/shop/client.ts'
import { openBrowser, violationsOf, visit } from './chromium.ts'

/** On a machine that has much else to do a shop takes its time. */
const SOON = { timeout: 45_000 }

let shop: Shop
let demo: Demo
let browser: Browser
test.before(async () => {
  shop = await startShop({ restart: true })
  demo = openDemo({ shop, token: '', say: () => undefined })
  browser = await openBrowser()
})
test.after.always(async () => {
  await browser?.close()
  await demo?.stop()
  await shop?.stop()
})

const look = async (t: ExecutionContext, options?: BrowserContextOptions) => {
  const visited = await visit(t, browser, { viewport: { width: 1280, height: 900 }, ...options })
  await visited.page.goto(shop.url)
  await visited.page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
  return visited
}
const card = (page: Page, name: string) => page.locator(`#${name}`)
const shows = (page: Page, name: string, text: string | RegExp) =>
  card(page, name).getByText(text).filter({ visible: true }).first().waitFor(SOON)

const post = async (path: string, body?: object): Promise<Record<string, string>> => {
  const response = await fetch(shop.url + path, {
    method: 'POST',
    ...(body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {}),
  })
  const text = await response.text()
  return text.startsWith('{') ? JSON.parse(text) : { text }
}
/** An order that can be paid. */
const placeOrder = async (): Promise<string> => {
  const { user_id = '' } = await post('/payment/create_user')
  const { item_id = '' } = await post('/stock/item/create/5')
  await post(`/payment/add_funds/${user_id}/100`)
  await post(`/stock/add/${item_id}/10`)
  return (await post('/orders', { user_id, lines: [{ item_id, quantity: 2 }] })).id ?? ''
}
const row = (page: Page, order: string) => card(page, 'checkouts').getByRole('button', { name: order }).first()

test.serial(
  'asks nobody but the shop, complains of nothing, and axe finds nothing, in any light and at any width',
  async (t) => {
    await post(`/orders/checkout/${await placeOrder()}`)
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [360, 1440]) {
        const { page, complaints, strangers } = await look(t, { colorScheme, viewport: { width, height: 800 } })
        await shows(page, 'shop', 'all parts are ready')
        await shows(page, 'audit', 'balanced')
        t.deepEqual(await violationsOf(page), [], `${colorScheme} ${width}`)
        t.true(
          Number(await page.evaluate('document.documentElement.scrollWidth')) <= width,
          `it is wider than ${width}`,
        )
        t.deepEqual([complaints, strangers], [[], []])
      }
  },
)

test.serial('does without motion where the reader wants none', async (t) => {
  const { page } = await look(t, { reducedMotion: 'reduce' })
  t.is(await page.evaluate("getComputedStyle(document.querySelector('main')).transitionDuration"), '0s')
})

test.serial(
  'shows a checkout over all services, found by its order, opened by the keyboard, and refunds it',
  async (t) => {
    const { page, complaints } = await look(t)
    const order = await placeOrder()
    await post(`/orders/checkout/${order}`)
    await row(page, order).waitFor(SOON)
    await page.getByRole('searchbox').fill(order)
    await row(page, order).focus()
    await page.keyboard.press('Enter')
    for (const kind of ['CheckoutStarted', 'CreditHeld', 'StockTaken', 'CreditCaptured', 'OrderPaid'])
      await shows(page, 'checkout', kind)
    t.is(await page.evaluate("document.activeElement.contains(document.getElementById('checkout'))"), true)
    await shows(page, 'checkout', /paid, paid/)
    await shows(page, 'checkout', /done here/)
    t.deepEqual(await violationsOf(page), [])

    await card(page, 'checkout').getByRole('button', { name: 'refund…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/10 to the wallet of the customer/).waitFor()
    t.deepEqual(await violationsOf(page), [])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await card(page, 'checkout').getByRole('button', { name: 'refund…' }).click()
    await dialog.getByRole('textbox').fill('the colour')
    await page.keyboard.press('Enter')
    await page.getByText('done: refund').waitFor(SOON)
    await shows(page, 'checkout', /10 of it refunded/)
    await shows(page, 'checkouts', 'refunded')
    t.deepEqual(complaints, [])
  },
)

test.serial('tells which request a button sends, as a line for a shell', async (t) => {
  const { page } = await look(t, { permissions: ['clipboard-read', 'clipboard-write'] })
  const order = await placeOrder()
  await post(`/orders/checkout/${order}`)
  await row(page, order).click(SOON)
  await card(page, 'checkout').getByRole('button', { name: 'copy as curl: how it stands in order' }).click(SOON)
  t.regex(
    String(await page.evaluate('navigator.clipboard.readText()')),
    /^curl 'http:\/\/127\.0\.0\.1:\d+\/orders\/saga\/\w+'$/,
  )
})

test.serial('finds what it has not seen', async (t) => {
  const order = await placeOrder()
  await post(`/orders/checkout/${order}`)
  const { page } = await look(t)
  await page.getByRole('searchbox').fill(order)
  await page.getByRole('button', { name: 'ask the shop' }).click()
  await shows(page, 'checkout', 'OrderPaid')
  await page.getByRole('searchbox').fill('nobody-knows')
  await page.getByRole('button', { name: 'ask the shop' }).click()
  await page.getByText(/knows no order, user or log id/).waitFor(SOON)
  t.pass()
})

test.serial('while a part is frozen a checkout waits, says what comes next, and can be given up', async (t) => {
  const { page } = await look(t)
  const order = await placeOrder()
  await page.getByRole('button', { name: 'freeze stock-1' }).click(SOON)
  await shows(page, 'demo', 'stock-1 is frozen')
  const paying = post(`/orders/checkout/${order}`)
  await row(page, order).click(SOON)
  await shows(page, 'checkouts', /waits for payment|waits for an answer/)
  await card(page, 'checkout').getByRole('button', { name: 'cancel…' }).click(SOON)
  await page.getByRole('dialog').getByRole('button', { name: 'cancel', exact: true }).click()
  await shows(page, 'checkout', 'CheckoutCancelled')
  t.regex(JSON.stringify(await paying), /cancelled/)
  await shows(page, 'checkout', 'CheckoutClosed')
  await shows(page, 'shop', 'all parts are ready')
})

test.serial('customers come in; payment is killed, and comes back; all ends, and the equation holds', async (t) => {
  const { page, complaints } = await look(t)
  await page.getByRole('button', { name: 'let customers in' }).click(SOON)
  await page.getByRole('button', { name: 'send customers home' }).waitFor(SOON)
  await shows(page, 'checkouts', 'paid')
  await page.getByRole('button', { name: 'kill payment-1' }).click()
  await shows(page, 'demo', 'payment-1 is killed')
  await shows(page, 'shop', 'away')
  await shows(page, 'shop', 'all parts are ready')
  await page.getByRole('button', { name: 'send customers home' }).click()
  await page.getByRole('button', { name: 'let customers in' }).waitFor(SOON)
  await eventually(
    async () => assert.doesNotMatch(await card(page, 'checkouts').innerText(), /overdue\b.*ago|waits? for/),
    SOON.timeout,
  )
  await shows(page, 'demo', 'all money and goods are there')
  t.is(await card(page, 'audit').locator('.strip .bad').count(), 0)
  t.deepEqual([complaints, await violationsOf(page)], [[], []])
})

test.serial('a Redis is set back; that is noticed, and in the end all is there', async (t) => {
  const { page } = await look(t)
  await page.waitForTimeout(6_000) // so far back it goes
  const order = await placeOrder()
  await post(`/orders/checkout/${order}`)
  await page.getByRole('button', { name: 'set back stock-redis' }).click(SOON)
  await page.getByRole('dialog').getByRole('button', { name: 'set back', exact: true }).click()
  await page.getByText('stock-redis is set back').waitFor(SOON)
  await shows(page, 'shop', 'came back older')
  await shows(page, 'shop', 'all parts are ready')
  await shows(page, 'audit', 'balanced')
  t.pass()
})

test.serial('a dead letter is shown with its error, and dismissed', async (t) => {
  const { page } = await look(t)
  await shows(page, 'letters', 'Every entry could be applied.')
  const redis = new Redis(shop.redis.payment.url)
  await redis.xadd('log:payment', '*', 'CreditCaptured', 'version=1 log_id=saga0 order=cart user=anna total=many')
  redis.disconnect()
  await shows(page, 'letters', /order could not apply what payment appended/)
  t.deepEqual(await violationsOf(page), [])
  await card(page, 'letters')
    .getByRole('button', { name: /^dismiss order:/ })
    .click()
  await page
    .getByRole('dialog')
    .getByText(/it is never applied/)
    .waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'dismiss', exact: true }).click()
  await shows(page, 'letters', 'Every entry could be applied.')
})

test.serial('a lock is shown with who holds it', async (t) => {
  const { page } = await look(t)
  const client = openClient(shop.url)
  t.teardown(client.close)
  const { status } = await client.request(
    'PUT',
    '/locks/tea/leases/one',
    { 'Content-Type': 'application/json' },
    '{"owner":"anna"}',
  )
  t.is(status, 201)
  await shows(page, 'locks', 'anna')
  t.deepEqual(await violationsOf(page), [])
})

test.serial(
  'orders that are contradicted are shown with why, and a person resolves each in one of two ways',
  async (t) => {
    const { page } = await look(t)
    const moment = await writtenTo(shop.part('payment-redis').dir)
    const orders = [await placeOrder(), await placeOrder()]
    for (const order of orders) await post(`/orders/checkout/${order}`)
    await comeBackOlder(shop.part('payment-redis'), { position: moment })
    for (const [order, verb] of [
      [orders[0] ?? '', 'resolve by refund'],
      [orders[1] ?? '', 'accept as it is'],
    ] as const) {
      await card(page, 'shop').getByRole('link', { name: order }).click(SOON)
      await shows(page, 'checkout', 'CheckoutContradicted')
      await card(page, 'checkout')
        .getByRole('button', { name: `${verb}…` })
        .click(SOON)
      t.deepEqual(await violationsOf(page), [])
      await page.getByRole('dialog').getByRole('textbox').fill('it is so')
      await page.keyboard.press('Enter')
      await page.getByText(`done: ${verb}`).waitFor(SOON)
      await shows(page, 'checkout', 'CheckoutResolved')
      await card(page, 'shop')
        .getByRole('link', { name: order })
        .waitFor({ state: 'detached', ...SOON })
    }
  },
)

test.serial('when the gateway is gone it says so, and goes on once that is back', async (t) => {
  const { page, complaints } = await look(t)
  await shop.gateway.kill()
  await page.locator('header .tag', { hasText: /does not answer/ }).waitFor(SOON)
  await page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
  t.deepEqual(complaints, [])
})

test.serial('a page that there is not says so', async (t) => {
  const { page, strangers } = await visit(t, browser)
  await page.goto(`${shop.url}/nothing`)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  t.deepEqual([await violationsOf(page), strangers], [[], []])
  await page.getByRole('link', { name: 'console' }).click()
  await page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
})
