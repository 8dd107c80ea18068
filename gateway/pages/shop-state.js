/**
 * What does the page know of the shop?
 *
 * What the stream has told: first the whole, then what is new. Nothing is worked out here that the shop says itself.
 */

const CHECKOUTS = 500
const SECONDS = 120
const AUDITS = 720

export const nothing = {
  live: 'connecting',
  at: 0,
  consoles: 0,
  services: [],
  seconds: [],
  checkouts: new Map(),
  answers: {},
  audits: [],
  demo: null,
}

const withCheckouts = (known, changed) => {
  if (changed.length === 0) return known
  const all = new Map(known)
  for (const one of changed) all.set(one.log_id, one)
  for (const oldest of all.keys()) {
    if (all.size <= CHECKOUTS) break
    all.delete(oldest)
  }
  return all
}

const auditedBy = ({ audit }) =>
  audit === undefined ? [] : [{ at: audit.at, balanced: audit.status === 200 ? audit.body.balanced : null }]

/** What is known after a message, or after a change of the connection. */
export const after = (state, message) => {
  if (message.name === 'state') return { ...state, live: message.live, why: message.why }
  const { data } = message
  const common = { at: data.at, consoles: data.consoles, services: data.services, demo: data.demo ?? null }
  if (message.name === 'whole')
    return {
      ...state,
      ...common,
      seconds: data.seconds,
      checkouts: withCheckouts(new Map(), data.checkouts),
      answers: data.answers,
      audits: data.audits,
    }
  return {
    ...state,
    ...common,
    seconds: [...state.seconds, ...data.seconds].slice(-SECONDS),
    checkouts: withCheckouts(state.checkouts, data.checkouts),
    answers: { ...state.answers, ...data.answers },
    audits: [...state.audits, ...auditedBy(data.answers)].slice(-AUDITS),
  }
}

/** The body of what was answered last; undefined if there was no answer. */
export const bodyOf = ({ answers }, name) => (answers[name]?.status === 200 ? answers[name].body : undefined)

/** What hangs, by log id, as order and payment say. */
export const hangingIn = (state) => {
  const hanging = new Map()
  for (const service of ['payment', 'order'])
    for (const status of bodyOf(state, `unfinished.${service}`)?.unfinished ?? []) hanging.set(status.log_id, status)
  return hanging
}

/** A checkout that began before the page looked, as far as its service tells. */
const fromStatus = ({ log_id, state, begun, recorded }) => ({
  log_id,
  what: 'checkout',
  order: recorded.order ?? '',
  user: recorded.user ?? '',
  total: recorded.total ?? '',
  state: state === 'cancelling' ? 'cancelled' : 'started',
  reason: recorded.reason ?? '',
  item: recorded.item ?? '',
  begun: Date.parse(begun ?? '') || 0,
  decided: state === 'cancelling' ? Date.parse(begun ?? '') : null,
  deadline: recorded.deadline === undefined ? null : Number(recorded.deadline),
  last: '',
})

/** A checkout that is contradicted, of which the page has seen nothing; when it was begun and decided is not told. */
const fromContradiction = ({ order_id, log_id, by }) => ({
  log_id,
  what: 'checkout',
  order: order_id,
  user: '',
  total: '',
  state: 'contradicted',
  reason: by,
  item: '',
  begun: 0,
  decided: Number.NaN,
  deadline: null,
  last: '',
})

/** Older than that, it is no mere moment. */
const HANGS_MS = 1_500
/** What is decided settles in the other services a moment later. */
const SETTLES_MS = 5_000

/** All checkouts, each with how it hangs: first what is overdue, then what waits, then the newest. */
export const checkoutsOf = (state) => {
  const hanging = hangingIn(state)
  const listed = bodyOf(state, 'unfinished.order')
  // Where many are chosen from, the end of one that was seen may not be: what order does not name is over.
  const isOver = ({ log_id, begun, decided, state: is }) =>
    listed?.more === false &&
    (decided === null || is === 'refunding') &&
    state.at - begun > SETTLES_MS &&
    !hanging.has(log_id)
  // Those of which only the order is known, as an older version has listed them, have no checkout to be shown.
  const contradictions = (bodyOf(state, 'contradictions')?.contradictions ?? []).filter(({ log_id }) => log_id !== null)
  const contradicted = new Map(contradictions.map((one) => [one.log_id, fromContradiction(one)]))
  const unknown = [...hanging.values()].filter(({ log_id }) => !state.checkouts.has(log_id)).map(fromStatus)
  const seen = [...state.checkouts.values()].filter((one) => !isOver(one))
  const known = new Map([...contradicted.values(), ...unknown, ...seen].map((one) => [one.log_id, one]))
  const rows = [...known.values()].map((one) => {
    const status = hanging.get(one.log_id)
    const isOpen = one.decided === null || one.state === 'refunding'
    const isOverdue = one.decided === null && one.deadline !== null && one.deadline < state.at
    const waits = status !== undefined && state.at - (one.decided ?? one.begun) > (isOpen ? HANGS_MS : SETTLES_MS)
    const { state: is, reason } = contradicted.get(one.log_id) ?? one
    return { ...one, state: is, reason, isOpen, isOverdue, waits, status }
  })
  const rank = ({ isOverdue, waits, state: is }) => (is === 'contradicted' ? 0 : isOverdue ? 1 : waits ? 2 : 3)
  return rows.toSorted((a, b) => rank(a) - rank(b) || b.begun - a.begun)
}
