/** The console in a browser, in front of a shop whose clients bear tokens. */
import test from 'ava'
import { makeOwnIssuer } from '../../env/local/own-issuer.ts'
import { startShop } from '../../env/local/shop.ts'
import { openBrowser, violationsOf, visit } from './chromium.ts'

const SOON = { timeout: 45_000 }

test('asks for a token, says why one is not accepted, and shows the shop to an operator until that is forgotten', async (t) => {
  const issuer = await makeOwnIssuer('')
  const shop = await startShop({ env: { all: issuer.variables } })
  t.teardown(shop.stop)
  const browser = await openBrowser()
  t.teardown(() => browser.close())
  const { page, complaints } = await visit(t, browser)
  await page.goto(shop.url)
  await page.getByRole('heading', { name: 'This console is for operators' }).waitFor(SOON)
  t.is(await page.locator('.error').count(), 0)
  for (const [token, why] of [
    ['nonsense', /The token is not valid/],
    [await issuer.issue('customer', 'anna'), /this wants the scope "operator"/],
    [await issuer.issue('merchant', 'seller'), /this wants the scope "operator"/],
  ] as const) {
    await page.getByRole('textbox', { name: 'token' }).fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'This token was not accepted' }).waitFor(SOON)
    await page.locator('.error', { hasText: why }).waitFor(SOON)
    t.deepEqual(await violationsOf(page), [])
  }
  await page.getByRole('textbox', { name: 'token' }).fill(await issuer.issue('operator', 'root'))
  await page.keyboard.press('Enter')
  await page.locator('header .tag', { hasText: /^live$/ }).waitFor(SOON)
  await page.getByText('all parts are ready').waitFor(SOON)
  await page.getByRole('button', { name: 'forget the token' }).click()
  await page.getByRole('heading', { name: 'This console is for operators' }).waitFor(SOON)
  t.deepEqual(complaints, [])
})
