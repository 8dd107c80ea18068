/** A program outside of the tree is compiled against the client: what the contract does not have does not compile. */
import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { makeFolder } from '../../support/folder.ts'
import { ROOT } from '../../support/program.ts'

const TSC = join(ROOT, 'node_modules/.bin/tsc')
/** As Node's manual has it for programs whose types are stripped. */
const OPTIONS = [
  ...[
    '--noEmit',
    '--pretty',
    'false',
    '--target',
    'es2024',
    '--lib',
    'es2024,dom,dom.iterable',
    '--module',
    'nodenext',
  ],
  ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--verbatimModuleSyntax'],
  ...['--erasableSyntaxOnly', '--allowImportingTsExtensions', '--types', '', 'program.ts'],
]

const HEAD = `import { shopClient } from 'saga-shop/client'
import { ShopProblem } from 'saga-shop/client/errors'
const shop = shopClient('http://127.0.0.1:8000', { token: async () => 'a-token' })
const params = { order: 'o' }
`
/** Each line, and the error that it is, if it is one. */
const LINES: readonly (readonly [line: string, error?: string])[] = [
  ["await shop.placeOrder({ body: { user_id: 'u', lines: [{ item_id: 'i', quantity: 2 }] } })"],
  ["await shop.placeOrder({ body: { user_id: 'u', lines: [{ item_id: 'i', quantity: 2 }], method: undefined } })"],
  ['const text: string = (await shop.findOrder({ params })).status; console.log(text)'],
  ["if ((await shop.findOrder({ params })).status === 'paid') await shop.createUser()"],
  ["const outcome = await shop.ask('checkout', { params, prefer: 'respond-async', key: 'k' })"],
  ['if (outcome.status === 202) console.log(outcome.body.state)'],
  ["await shop.changeOrder({ params, body: { quantity: 2 }, ifMatch: '*', lockToken: 7 })"],
  [
    "try { await shop.refundOrder({ params }) } catch (error) { if (error instanceof ShopProblem && error.kind === 'stale') throw error }",
  ],
  ["await shop.placeOrder({ body: { user_id: 'u', lines: [{ item_id: 'i', quantity: 'two' }] } })", 'TS2322'],
  ["await shop.placeOrder({ body: { user_id: 'u', lynes: [] } })", 'TS2561'],
  ['await shop.placeOrder({ body: { lines: [] } })', 'TS2741'],
  ["await shop.placeOrder({ body: { user_id: 'u', method: 'gold' } })", 'TS2322'],
  ['await shop.placeOrder()', 'TS2554'],
  ['await shop.findOrder({})', 'TS2345'],
  ["await shop.findOrder({ params: { user: 'u' } })", 'TS2353'],
  ['await shop.findOrdre({ params })', 'TS2551'],
  ["if ((await shop.findOrder({ params })).status === 'payed') await shop.createUser()", 'TS2367'],
  ['if (outcome.status === 201) await shop.createUser()', 'TS2367'],
  ['if (outcome.status === 200) console.log(outcome.body.state)', 'TS2339'],
  [
    "try { await shop.createUser() } catch (error) { if (error instanceof ShopProblem && error.kind === 'stail') throw error }",
    'TS2367',
  ],
]

test('only what the contract has compiles', async (t) => {
  const folder = await makeFolder(t)
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/saga-shop'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'program.ts'), HEAD + LINES.map(([line]) => `${line}\n`).join(''))
  const output = await promisify(execFile)(TSC, OPTIONS, { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
  const found = [...output.matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+)/gm)].map(
    ([, file, line, error]) => `${file}:${line}: ${error}`,
  )
  const first = HEAD.split('\n').length
  const wanted = LINES.flatMap(([, error], at) => (error === undefined ? [] : [`program.ts:${first + at}: ${error}`]))
  t.deepEqual(found, wanted, output)
})
