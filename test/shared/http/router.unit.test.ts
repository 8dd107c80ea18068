/** A path leads to one route, by one spelling. */
import test from 'ava'
import type { Route } from '../../../shared/http/route.ts'
import { openRouter } from '../../../shared/http/router.ts'

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  scope: 'anybody',
  handler: async () => ({ text: path }),
})
const routes = [
  route('GET', '/things'),
  route('POST', '/things'),
  route('GET', '/things/:thing'),
  route('DELETE', '/things/:thing'),
  route('GET', '/things/find/:thing'),
  route('POST', '/things/find/:thing/:amount'),
  route('GET', '/things/:owner/parts/:part'),
]
const find = openRouter(routes)

/** The route and its parameters, or the methods that there are. */
const found = (method: string, path: string): unknown => {
  const one = find(method, path)
  if (one === undefined || 'methods' in one) return one?.methods
  return [one.route.path, one.parameters]
}

test('a path leads to its route, with what stands for the parameters', (t) => {
  t.deepEqual(found('GET', '/things'), ['/things', {}])
  t.deepEqual(found('HEAD', '/things/7'), ['/things/:thing', { thing: '7' }])
  t.deepEqual(found('GET', '/things/find/7'), ['/things/find/:thing', { thing: '7' }])
  t.deepEqual(found('POST', '/things/find/7/3'), ['/things/find/:thing/:amount', { thing: '7', amount: '3' }])
  t.deepEqual(found('GET', '/things/7/parts/9'), ['/things/:owner/parts/:part', { owner: '7', part: '9' }])
})

test('a parameter stands for no word that another route has in its place', (t) => {
  t.is(found('GET', '/things/find'), undefined)
  t.deepEqual(found('GET', '/things/find/parts'), ['/things/find/:thing', { thing: 'parts' }])
  t.deepEqual(found('GET', '/things/finder'), ['/things/:thing', { thing: 'finder' }])
})

test('a path of which there is no such method tells which there are', (t) => {
  t.deepEqual(found('PATCH', '/things'), ['GET', 'POST'])
  t.deepEqual(found('POST', '/things/7'), ['DELETE', 'GET'])
})

test('a path has one spelling', (t) => {
  for (const path of ['', '/', '/Things', '/things/', '//things', '/things//', '/things/7/', '/things/find/', '/thing'])
    t.is(found('GET', path), undefined, path)
})

test('what stands for a parameter is decoded, once, and as it is if it cannot be', (t) => {
  t.deepEqual(found('GET', '/things/a%2Fb%2525'), ['/things/:thing', { thing: 'a/b%25' }])
  t.deepEqual(found('GET', '/things/%E0%A4%A'), ['/things/:thing', { thing: '%E0%A4%A' }])
  t.deepEqual(found('GET', '/things/__proto__'), ['/things/:thing', { thing: '__proto__' }])
})

test('no two routes have one method and path', (t) => {
  t.throws(() => openRouter([...routes, route('GET', '/things/:other')]), { message: /two routes are GET/ })
})
