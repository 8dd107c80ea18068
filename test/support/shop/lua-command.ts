/**
 * What does a Lua command say of itself?
 *
 * Its header: what it does, which ARGS it wants and what it RETURNS. Read from the files, so that tests hold the header
 * against the code, against the tables that call the command, and against what it really returned.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Service } from '../../../shared/contract/services.ts'

export type Place = Service | 'shared'

export type Command = {
  readonly name: string
  readonly place: Place
  /** The folder in which its folder `lua` is, in that place; '' if there is none. */
  readonly room: string
  readonly text: string
  /** The code without comments, with that of everything it includes. */
  readonly whole: string
}

export type Header = { readonly title: string; readonly args: readonly string[]; readonly returns: string }

const ROOT = new URL('../../../', import.meta.url)

/** The Lua files of a place, each in the folder `lua` of the room that owns it. */
const filesOf = (place: Place): ReadonlyMap<string, URL> =>
  new Map(
    readdirSync(new URL(`${place}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.lua'))
      .map((path) => [basename(path), new URL(`${place}/${path}`, ROOT)]),
  )
const FILES: Readonly<Record<Place, ReadonlyMap<string, URL>>> = {
  ids: filesOf('ids'),
  order: filesOf('order'),
  payment: filesOf('payment'),
  stock: filesOf('stock'),
  shared: filesOf('shared'),
}
export const luaFiles = (place: Place): readonly string[] => [...FILES[place].keys()]
export const luaText = (place: Place, file: string): string => {
  const found = FILES[place].get(file)
  if (found === undefined) throw new Error(`${place} has no ${file}`)
  return readFileSync(found, 'utf8')
}

/** The file of shared that each service completes by one of its own: here order's stands for all. */
const SUPPLIED = { file: 'things.lua', by: 'balance.lua', of: 'order' } as const

/** Lua code without its comments. */
export const luaCode = (text: string): string => text.replace(/--.*$/gm, '')

const withIncludes = (place: Place, file: string, seen = new Set<string>()): string => {
  if (seen.has(file)) return ''
  seen.add(file)
  const text = luaText(luaFiles(place).includes(file) ? place : 'shared', file)
  const names = [...text.matchAll(/^--- @(?:include|rarely) "([a-z-]+)"$/gm)].map(([, name]) => `${name}.lua`)
  const supplied = file === SUPPLIED.file ? withIncludes(SUPPLIED.of, SUPPLIED.by, seen) : ''
  return [...names.map((name) => withIncludes(place, name, seen)), luaCode(text), supplied].join('\n')
}

/** The commands of a service, or those that `shared` has for every service. */
export const luaCommands = (place: Place): readonly Command[] =>
  luaFiles(place)
    .map((file) => {
      const text = luaText(place, file)
      const room = FILES[place].get(file)?.pathname.split('/').at(-3) ?? ''
      return {
        name: file.replace(/\.lua$/, ''),
        place,
        room: room === place ? '' : room,
        text,
        whole: withIncludes(place, file),
      }
    })
    .filter(({ text }) => /^(function commands\.|commands\[)/m.test(text))

export const headerOf = ({ text }: Command): Header => {
  const comment = [...text.matchAll(/^-- ?(?!-)(.*)$/gm)].map(([, line]) => line)
  const whole = comment.join('\n')
  const [, args = ''] = /^ARGS\s+([\s\S]*?)(?=^RETURNS|$(?![\s\S]))/m.exec(whole) ?? []
  const [, returns = ''] = /^RETURNS\s+((?:.|\n(?=\s))*)/m.exec(whole) ?? []
  return {
    title: comment[0] ?? '',
    args: args
      .replace(/\([^)]*\)/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    returns,
  }
}

/** The results that a header promises; none if what the command returns is something else. */
export const promised = ({ returns }: Header): readonly string[] =>
  returns.startsWith('the ')
    ? []
    : returns.split(/\||or in passing:/).flatMap((piece) => /^[\s,]*([a-z-]+)/.exec(piece)?.[1] ?? [])
