/** A stranger finds at the gateway what the shop can be asked, also while no service is there, and the page asks nobody else. */
import test from 'ava'
import { openShop, problemOf } from '../support/shop/gateway.ts'

test('the contract is there', async (t) => {
  const { ask } = await openShop(t, {})
  const { status, text, headers } = await ask('GET', '/openapi.json')
  t.is(status, 200)
  t.is(headers['content-type'], 'application/json')
  const { openapi, paths } = JSON.parse(text) as { openapi: string; paths: Record<string, unknown> }
  t.regex(openapi, /^3\.1\./)
  t.true(Object.hasOwn(paths, '/orders/checkout/{order}'))
})

test('so is it as requests to be sent', async (t) => {
  const { ask } = await openShop(t, {})
  const collection = await ask('GET', '/shop.postman_collection.json')
  t.is(collection.headers['content-type'], 'application/json')
  t.is((JSON.parse(collection.text) as { info: { name: string } }).info.name, 'saga-shop')
  const file = await ask('GET', '/shop.http')
  t.is(file.headers['content-type'], 'text/plain; charset=utf-8')
  t.regex(file.text, /^POST \{\{SHOP\}\}\/orders\/checkout\/\{\{ORDER_ID\}\}$/m)
})

test('the page is whole without anything from outside', async (t) => {
  const { ask } = await openShop(t, {})
  const page = await ask('GET', '/docs')
  t.is(page.headers['content-type'], 'text/html; charset=utf-8')
  t.regex(String(page.headers['content-security-policy']), /^default-src 'self'/)
  const links = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link)
  for (const link of links.filter((one) => !one.startsWith('data:'))) {
    const { status, headers } = await ask('GET', link)
    t.is(status, 200, link)
    t.regex(String(headers['content-type']), /^text\/(css|javascript); charset=utf-8$/)
  }
  t.is(links.length, 5)
})

test('what has not changed is not sent again', async (t) => {
  const { ask } = await openShop(t, {})
  const { headers } = await ask('GET', '/docs')
  const etag = String(headers.etag)
  // A proxy that compresses makes a weak tag of a strong one.
  for (const seen of [etag, `W/${etag}`, `"another", W/${etag}`, '*'])
    t.is((await ask('GET', '/docs', { headers: { 'If-None-Match': seen } })).status, 304, seen)
  for (const seen of ['"another"', etag.slice(1, -1), ''])
    t.is((await ask('GET', '/docs', { headers: { 'If-None-Match': seen } })).status, 200, seen)
})

test('where older back ends have such a page it is pointed at; there is no other', async (t) => {
  const { ask } = await openShop(t, {})
  for (const path of ['/swagger/index.html', '/v1/docs']) {
    const { status, headers } = await ask('GET', path)
    t.deepEqual([status, headers.location], [308, '/docs'], path)
  }
  for (const path of ['/docs/', '/docs/docs.ts', '/docs/../package.json', '/docs/openapi.json', '/swagger'])
    t.is(problemOf(t, await ask('GET', path)).type, 'urn:shop:problem:no-such-route', path)
})
