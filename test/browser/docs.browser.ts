/** The page that tells what the shop can be asked, in a browser; and the console where a token is wanted. */
import test from 'ava'
import type { Browser, Locator } from 'playwright-core'
import { type Shop, startShop } from '../../env/local/shop.ts'
import { openBrowser, violationsOf, visit } from './chromium.ts'

const SOON = { timeout: 45_000 }
const TOKEN = 'sesame'

let shop: Shop
let browser: Browser
test.before(async () => {
  shop = await startShop({ env: { all: { OPERATOR_TOKEN: TOKEN } } })
  browser = await openBrowser()
})
test.after.always(async () => {
  await browser?.close()
  await shop?.stop()
})

/** Makes a user by the page, and waits until the answer is shown. */
const tryIt = async (operation: Locator): Promise<void> => {
  await operation.getByRole('button', { name: 'Try it out' }).click(SOON)
  await operation.getByRole('button', { name: 'Execute' }).click(SOON)
  await operation
    .getByText(/"user_id"/)
    .first()
    .waitFor(SOON)
}

test.serial('the docs are whole in any light, ask nobody else, and "try it" works', async (t) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, complaints, strangers } = await visit(t, browser, { colorScheme })
    await page.goto(`${shop.url}/docs#/payment/createUser`)
    const operation = page.locator('#operations-payment-createUser')
    await operation.waitFor(SOON)
    t.is(await page.evaluate("document.documentElement.classList.contains('dark-mode')"), colorScheme === 'dark')
    await tryIt(operation)
    t.deepEqual([complaints, strangers], [[], []], colorScheme)
  }
})

test.serial(
  'axe finds nothing wrong with the docs, in any light: a tag open, an operation, an answer, the tokens',
  async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      // A colour that is on its way to another one has the contrast of neither.
      const { page } = await visit(t, browser, { colorScheme, reducedMotion: 'reduce' })
      await page.goto(`${shop.url}/docs`)
      const tag = page.locator('#operations-tag-payment')
      await tag.waitFor(SOON)
      t.deepEqual(await violationsOf(page), [], `${colorScheme}, closed`)
      await tag.click()
      const operation = page.locator('#operations-payment-createUser')
      await operation.locator('.opblock-summary-control').click(SOON)
      await tryIt(operation)
      t.deepEqual(await violationsOf(page), [], `${colorScheme}, answered`)
      await page.locator('.auth-wrapper button.authorize').click()
      await page.getByRole('dialog').getByRole('button', { name: 'close', exact: true }).first().waitFor(SOON)
      t.deepEqual(await violationsOf(page), [], `${colorScheme}, tokens`)
    }
  },
)

test.serial('on a narrow page the descriptions of tags and the filter have its width', async (t) => {
  const { page } = await visit(t, browser, { viewport: { width: 390, height: 800 } })
  await page.goto(`${shop.url}/docs`)
  const tag = page.locator('.opblock-tag', { hasText: 'payment, for operators' })
  await tag.waitFor(SOON)
  for (const part of [page.getByPlaceholder('Filter by tag or path'), tag.locator('small')])
    t.true(Number((await part.boundingBox())?.width) > 300, String(await part.getAttribute('class')))
  t.true(Number((await tag.boundingBox())?.height) < 120)
  t.is(await page.evaluate('document.documentElement.scrollWidth'), 390)
})

test.serial('the console asks for the token where one is wanted, and keeps it in its tab', async (t) => {
  const { page, complaints } = await visit(t, browser)
  await page.goto(shop.url)
  await page.getByRole('heading', { name: 'This console is for operators' }).waitFor(SOON)
  t.deepEqual(await violationsOf(page), [])
  const give = async (token: string): Promise<void> => {
    await page.locator('input[type=password]').fill(token)
    await page.getByRole('button', { name: 'look' }).click()
  }
  await give('guessed')
  await page.getByRole('heading', { name: 'This token was not accepted' }).waitFor(SOON)
  await give(TOKEN)
  await page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
  await page.locator('#audit').getByText('balanced').first().waitFor(SOON)
  t.is(await page.locator('#demo').count(), 0, 'no launcher is there that would harm the shop')
  await page.reload()
  await page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
  await page.getByRole('button', { name: 'forget the token' }).click()
  await page.getByRole('heading', { name: 'This console is for operators' }).waitFor(SOON)
  t.deepEqual([complaints, await page.context().cookies()], [[], []])
})
