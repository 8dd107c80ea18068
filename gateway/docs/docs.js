/**
 * Shows the contract, dark where the reader likes it so.
 *
 * What the library leaves out of its page for those that do not see it is put in, as soon as that is there: names, places, and levels of headings.
 */
const { SwaggerUIBundle } = globalThis
const dark = globalThis.matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

const named = (name) => (one) => one.setAttribute('aria-label', name)
const placed = (role, name) => (one) => {
  one.setAttribute('role', role)
  one.setAttribute('aria-label', name)
}
const atLevel = (level) => (one) => one.setAttribute('aria-level', level)
const MENDED = [
  ['.information-container:not([role])', placed('region', 'about')],
  ['.scheme-container:not([role])', placed('region', 'server and tokens')],
  ['.filter-container:not([role])', placed('search', 'filter')],
  ['.modal-ux:not([role])', placed('dialog', 'available authorizations')],
  ['#servers:not([aria-label])', named('server')],
  ['.close-modal:not([aria-label])', named('close')],
  ['.authorize[aria-label="Apply credentials"]', named('Authorize: apply credentials')],
  // The title is the only heading of the first level.
  ['.swagger-ui h3:not([aria-level])', atLevel(2)],
  ['.swagger-ui h4:not([aria-level])', atLevel(3)],
  ['.swagger-ui h5:not([aria-level])', atLevel(4)],
  // A link within a button; that does the same.
  ['.opblock-summary-control a[href]', (one) => one.removeAttribute('href')],
]
const mend = () => {
  for (const [selector, put] of MENDED) for (const one of document.querySelectorAll(selector)) put(one)
}
new MutationObserver(mend).observe(document.getElementById('docs'), { childList: true, subtree: true })

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
})
