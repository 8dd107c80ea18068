/** Each path is counted under its row, and no path makes a name of its own. */
import test from 'ava'
import { openRouteNames } from '../../gateway/route-names.ts'
import { ROWS, targetOf } from '../support/rows.ts'
import { openRouter } from '../support/shop/row-lookup.ts'

const nameOf = openRouteNames(ROWS.map(({ path }) => path))

test('each row has its name, with and without a query, whatever its parameters are', (t) => {
  for (const row of ROWS)
    for (const value of ['x1', 'a%2Fb', 'find'])
      for (const query of ['', '?limit=3', '?a=/b']) {
        const values = Object.fromEntries(Object.keys(row.params ?? {}).map((name) => [name, value]))
        const target = targetOf(row, values)
        const find = openRouter(
          ROWS.map(({ method, path }) => ({
            method,
            path: path.replaceAll(/\{(\w+)\}/g, ':$1'),
            scope: 'anybody',
            handler: async () => ({ empty: 204 }),
          })),
        )(row.method, target)
        // A parameter that is a word of another row is that row's path.
        if (find === undefined || 'methods' in find) continue
        t.is(nameOf(target + query), find.route.path.replaceAll(/:(\w+)/g, '{$1}'), `${row.method} ${target}`)
      }
})

test('what is the path of no row has no name', (t) => {
  for (const path of [
    '',
    '/',
    '/orders/',
    '/orders//x',
    '/nowhere',
    '/orders/find/a/b',
    '/orders/find/',
    '//orders',
    '/orders?x',
    '*',
  ])
    t.is(nameOf(path), path === '/orders?x' ? '/orders' : '', path)
})
