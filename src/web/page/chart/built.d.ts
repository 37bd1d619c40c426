/** Made by scripts/build-page.mjs. */
declare module 'tally:charts' {
  export const layouts: Readonly<Record<import('./machines.ts').ChartName, import('./built-layout.ts').BuiltLayout>>
}
