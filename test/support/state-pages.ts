/** Transitions as a page: a Mermaid diagram of those that lead to another state, and a table of all. */

type Transition = readonly [result: string, next: string, ...emitted: readonly string[]]
export type Table = Readonly<Record<string, Readonly<Record<string, Transition>>>>
export type Alternatives = readonly (readonly [state: string, event: string, where: string, transition: Transition])[]

const NONE = 'none'
/** Diagrams begin at a dot, and know no hyphens in names. */
const node = (state: string): string => (state === NONE ? '[*]' : state.replaceAll('-', '_'))

type Edge = { readonly arrow: string; readonly emitted: string; readonly events: string[] }

/** What leads from one state to another, in the order of the table: one edge for all events by which the same is emitted. */
const edgesOf = (table: Table, alternatives: Alternatives): readonly Edge[] => {
  const edges: Edge[] = []
  const add = (state: string, [, next, ...kinds]: Transition, event: string): void => {
    if (state === next) return
    const [arrow, emitted] = [`${node(state)} --> ${node(next)}`, kinds.join(', ')]
    const known = edges.find((edge) => edge.arrow === arrow && edge.emitted === emitted)
    if (known) known.events.push(event)
    else edges.push({ arrow, emitted, events: [event] })
  }
  for (const [state, row] of Object.entries(table))
    for (const [event, transition] of Object.entries(row)) add(state, transition, event)
  for (const [state, event, where, transition] of alternatives) add(state, transition, `${event} (${where})`)
  return edges
}

export const diagramOf = (table: Table, alternatives: Alternatives = []): string => {
  const names = Object.keys(table).filter((state) => state.includes('-'))
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...names.map((state) => `  state "${state}" as ${node(state)}`),
    ...edgesOf(table, alternatives).map(
      ({ arrow, emitted, events }) => `  ${arrow} : ${events.join(' or ')}${emitted === '' ? '' : ` / ${emitted}`}`,
    ),
    '```',
  ].join('\n')
}

/** A result in bold is the name of the next state as well. */
const cellOf = (state: string, [result, next, ...emitted]: Transition): string => {
  const move = next === state ? result : result === next ? `**${next}**` : `${result} → **${next}**`
  return [move, ...emitted].join('<br>')
}

export const tableOf = (table: Table): string => {
  const events = Object.keys(Object.values(table)[0] ?? {})
  const rows = Object.entries(table).map(([state, row]) => [
    `**${state}**`,
    ...events.map((event) => (row[event] ? cellOf(state, row[event]) : '')),
  ])
  return [['', ...events], events.map(() => '---').concat('---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

export const pageOf = (title: string, table: Table, alternatives: Alternatives = []): string => {
  const others = alternatives.map(
    ([state, event, where, transition]) =>
      `- ${event} in **${state}**, where ${where}: ${cellOf(state, transition).replaceAll('<br>', ', ')}`,
  )
  return [
    `# ${title}`,
    'Made of `transitions.ts` by `UPDATE=1 npx ava test/transitions.unit.test.ts`; a test holds the two together, and another tries every cell on the real commands.',
    'An arrow bears the events that lead along it, and after the slash what is emitted.',
    diagramOf(table, alternatives),
    'For each state and event: what the command returns, the state after it if it is another one, and what is emitted. A result in bold is the name of that state, too.',
    tableOf(table),
    ...(others.length > 0 ? [others.join('\n')] : []),
  ]
    .join('\n\n')
    .concat('\n')
}
