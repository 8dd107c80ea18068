import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'ava'

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
