/** Defines `Symbol.dispose` in browsers that lack it. MUST be the first import. */
const made: symbol = Symbol('Symbol.dispose')
if (!Reflect.has(Symbol, 'dispose')) Reflect.defineProperty(Symbol, 'dispose', {value: made})

export {}
