/** For browsers that have no `Symbol.dispose` yet. First of all imports. */
const made: symbol = Symbol('Symbol.dispose')
if (!Reflect.has(Symbol, 'dispose')) Reflect.defineProperty(Symbol, 'dispose', {value: made})

export {}
