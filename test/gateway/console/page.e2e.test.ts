/** The console is one page of files that are listed, which asks nobody else; and a browser that asks for what there is not is told so. */
import test from 'ava'
import { openShop, problemOf } from '../../support/shop/gateway.ts'

const BROWSER = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

test('the page and all that it is made of is there, and may load nothing else', async (t) => {
  const { ask } = await openShop(t, {})
  const wanted = ['/console']
  const seen = new Set<string>(wanted)
  for (const path of wanted) {
    const { status, text, headers } = await ask('GET', path)
    t.is(status, 200, path)
    t.regex(String(headers['content-security-policy']), /^default-src 'self';(?!.*unsafe)/)
    t.is(headers['x-content-type-options'], 'nosniff')
    const links = [...text.matchAll(/(?:src|href)="([^"#]+)"|from '([^']+)'/g)].map(([, a, b]) => a ?? b ?? '')
    for (const link of links) {
      const next = new URL(link, `http://shop${path}`).pathname
      if (!path.startsWith('/vendor/') && /^\/(console|vendor)\//.test(next) && !seen.has(next)) wanted.push(next)
      seen.add(next)
    }
  }
  for (const path of ['/vendor/preact.js', '/vendor/uplot.js', '/vendor/uplot.css', '/console/console.css'])
    t.true(seen.has(path), path)
  t.is((await ask('GET', '/')).text, (await ask('GET', '/console')).text)
})

test('what has not changed is not sent again', async (t) => {
  const { ask } = await openShop(t, {})
  for (const path of ['/', '/vendor/preact.js']) {
    const { headers } = await ask('GET', path)
    t.is((await ask('GET', path, { headers: { 'If-None-Match': String(headers.etag) } })).status, 304)
  }
})

test('nothing else of those folders is served', async (t) => {
  const { ask } = await openShop(t, {})
  for (const path of [
    'missing',
    '/missing',
    '/console/',
    '/console/index.html',
    '/console/../main.ts',
    '/vendor/',
    '/vendor/htm',
  ])
    t.is((await ask('GET', path.startsWith('/') ? path : `/${path}`)).status, 404, path)
})

test('what there is not is a page for browsers, and a problem for programs', async (t) => {
  const { ask } = await openShop(t, {})
  for (const Accept of ['*/*', 'application/json', 'application/json, text/html;q=0', 'application/problem+json'])
    t.is(problemOf(t, await ask('GET', '/nothing', { headers: { Accept } })).type, 'urn:shop:problem:no-such-route')
  t.is(problemOf(t, await ask('POST', '/nothing', { headers: BROWSER })).type, 'urn:shop:problem:no-such-route')
  const { status, headers, text } = await ask('GET', '/nothing', { headers: BROWSER })
  t.deepEqual([status, headers['content-type']], [404, 'text/html; charset=utf-8'])
  t.regex(text, /no such page/i)
  t.is((await ask('GET', '/nothing', { headers: { ...BROWSER, 'If-None-Match': String(headers.etag) } })).status, 404)
})
