/**
 * How does a script read the text of an entry?
 *
 * The facts of each kind that is applied stand in the order of the dictionary, nearly always: then a pattern reads those that no
 * entry lacks, and one each of those that may be missing, into a table that begins as large as it becomes; and no name is made a text of
 * its own. What stands behind that, as the trace does, and what another version has written otherwise, is read name by name,
 * which costs three times as much.
 */
import { type Fact, type Facts, VERSION } from '../contract/events.ts'

type Run = { readonly names: readonly string[]; readonly mayBeMissing: boolean }

/** The facts in their order: each that may be missing by itself, the others as long as they follow each other. */
const runsOf = (facts: Readonly<Record<string, Fact>>): readonly Run[] => {
  const runs: Run[] = []
  for (const [name, fact] of Object.entries(facts)) {
    const mayBeMissing = fact.endsWith('?')
    const last = runs.at(-1)
    if (last === undefined || mayBeMissing || last.mayBeMissing) runs.push({ names: [name], mayBeMissing })
    else runs[runs.length - 1] = { ...last, names: [...last.names, name] }
  }
  return runs
}

/** Reads what stands at `at`, and moves that behind it, if it is what is expected there. */
const readRun = ({ names }: Run): string => {
  const values = names.map((_, at) => `v${at}`).join(',')
  return `if at<=#text then
local ${values},behind=string.match(text,'^${names.map((name) => ` ${name}=(%S*)`).join('')}()',at)
if behind then ${names.map((name, at) => `payload['${name}']=v${at}`).join(' ')} at=behind end
 end`
}

const branch = ([kind, facts]: readonly [string, Facts]): string => `if kind=='${kind}' then
local payload={log_id=id,${Object.keys(facts)
  .map((name) => `['${name}']=nil`)
  .join(',')}}
${runsOf(facts).map(readRun).join('\n')}
return payload,at
 end`

/** `begin_payload(kind, text)`: what a text says, and where the rest of it begins that stands otherwise than was expected. */
export const beginPayload = (kinds: Readonly<Record<string, Facts>>): string =>
  `local function begin_payload(kind,text)
local id,at=string.match(text,'^version=${VERSION} log_id=(%S+)()')
if not id then return {},1 end
${Object.entries(kinds).map(branch).join('\n')}
return {},1
end`
