import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'ava'
import * as v from 'valibot'
import { api as ids } from '../ids/api.ts'
import { distributedLock, lockUnlock } from '../ids/dialects/api.ts'
import { elections } from '../ids/election/api.ts'
import { jobs } from '../ids/jobs/api.ts'
import { locks } from '../ids/lock/api.ts'
import { api as order } from '../order/api.ts'
import { cancels } from '../order/cancel/api.ts'
import { changes } from '../order/change/api.ts'
import { forms } from '../order/forms/api.ts'
import { refunds } from '../order/refunds/api.ts'
import { shownOrder } from '../order/schemas.ts'
import { webhooks } from '../order/webhooks/api.ts'
import { api as payment } from '../payment/api.ts'
import type { Rows } from '../shared/http/route.ts'
import { auditApi, featureApi, logApi, recoveryApi, sagaApi } from '../shared/operator/api.ts'
import { api as stock } from '../stock/api.ts'

const ROOT = resolve(import.meta.dirname, '..')
const LINES_MAX = 150
/** What has a README of its own, besides the whole. */
const ROOMS = ['order', 'payment', 'stock', 'ids', 'gateway', 'shared', 'env', 'test', 'test/bench', 'test/drill']

const readmesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : readmesIn(path)
    return entry.name === 'README.md' ? [path] : []
  })

const readmes = readmesIn(ROOT)
const proseOf = (path: string): string => readFileSync(path, 'utf8').replace(/^```.*?^```$/gms, '')

/** The fragments by which GitHub links to the headings of a file. */
const fragmentsOf = (path: string): readonly string[] =>
  [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )

const linksOf = (path: string): readonly string[] =>
  [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link))

/** Why a link leads nowhere, if it does. */
const complaintAbout = (from: string, link: string): readonly string[] => {
  const [path = '', fragment] = link.split('#')
  const to = path === '' ? from : resolve(dirname(from), path)
  const where = `${relative(ROOT, from)}: ${link}`
  if (!existsSync(to)) return [`${where}: there is no such file`]
  if (fragment !== undefined && !fragmentsOf(to).includes(fragment)) return [`${where}: there is no such heading`]
  return []
}

test(`the README has at most ${LINES_MAX} lines`, (t) => {
  const lines = readFileSync(join(ROOT, 'README.md'), 'utf8').trimEnd().split('\n')
  t.true(lines.length <= LINES_MAX, `it has ${lines.length}`)
})

test('every room has a README, and the README of the whole leads to it', (t) => {
  const links = linksOf(join(ROOT, 'README.md'))
  t.deepEqual(
    ROOMS.filter((room) => !links.includes(`${room}/README.md`)),
    [],
  )
})

test('every link of a README leads to a file and a heading that are there', (t) => {
  const links = readmes.flatMap((path) => linksOf(path).map((link) => [path, link] as const))
  t.true(links.length > ROOMS.length)
  t.deepEqual(
    links.flatMap(([path, link]) => complaintAbout(path, link)),
    [],
  )
})

test('the order that a README shows has all that an order is answered with, and no more', (t) => {
  const [, example = ''] = /^```json\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, 'order/README.md'), 'utf8')) ?? []
  const { issues = [] } = v.safeParse(v.strictObject(shownOrder.entries), JSON.parse(example))
  t.deepEqual(
    issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`),
    [],
  )
})

test('a shell function that a README defines is not another one in another README', (t) => {
  const functions = readmes.flatMap((path) => {
    const scripts = [...readFileSync(path, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script = '']) => script)
    return [...new Set([...scripts.join('').matchAll(/^\s*(\w+)\(\)/gm)].map(([, name]) => name))]
  })
  t.true(functions.includes('ask'))
  t.deepEqual(
    functions.filter((name, at) => functions.indexOf(name) !== at),
    [],
  )
})

/** The routes that a README has in its tables, without queries. */
const routesIn = (readme: string): readonly string[] =>
  [
    ...readFileSync(join(ROOT, readme), 'utf8').matchAll(
      /^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`?]+)(?:\?[^`]*)?` \|/gm,
    ),
  ].map(([, route = '']) => route)
const routesOf = (rows: Rows): readonly string[] => Object.values(rows).map(({ method, path }) => `${method} ${path}`)
const isTold = (route: string): boolean => !route.includes(' /internal/')
/** An audit is asked of payment and stock alike: the README of shared has it. */
const isOwn = (route: string): boolean => !/ \/\w+\/audit/.test(route)

for (const [service, rows] of Object.entries({
  ids: { ...ids, ...locks, ...elections, ...jobs, ...lockUnlock, ...distributedLock },
  order: { ...order, ...cancels, ...changes, ...refunds, ...webhooks, ...forms },
  payment,
  stock,
}))
  test(`the README of ${service} has its routes, and no other`, (t) => {
    t.deepEqual(routesIn(`${service}/README.md`).toSorted(), routesOf(rows).filter(isTold).filter(isOwn).toSorted())
  })

test('the README of shared has the routes of every service, and no other', (t) => {
  const prefix = '/{service}'
  const every = [logApi, sagaApi, featureApi, recoveryApi, auditApi].flatMap((api) => routesOf(api(prefix)))
  const audits = routesOf(payment).filter((route) => !isOwn(route))
  const all = new Set([...every, ...audits.map((route) => route.replace('/payment', prefix))])
  t.deepEqual(routesIn('shared/README.md').toSorted(), [...all].toSorted())
})

test('the README of shared has its files, each with the question at its head', (t) => {
  const folder = join(ROOT, 'shared')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /^(?!metrics\/)[\w-]+\/[\w-]+\.ts$/.test(path))
  const asked = files.map((path) => {
    const [, head = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(join(folder, path), 'utf8')) ?? []
    const [question] = /^.*?\?/.exec(head.replace(/\s*\n \*/g, '').trim()) ?? []
    return `${path}: ${question}`
  })
  const rows = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(
    /^\| \[`[\w-]+\.ts`\]\((\w+\/\S+)\) \| (.*) \|$/gm,
  )
  t.deepEqual(Array.from(rows, ([, path, question]) => `${path}: ${question}`).toSorted(), asked.toSorted())
})
