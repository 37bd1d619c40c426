/** The module that scripts/build-page.mjs generates. */
declare module 'tally:charts' {
  export const layouts: Readonly<Record<import('./machines.ts').ChartName, import('./built-layout.ts').BuiltLayout>>
}
