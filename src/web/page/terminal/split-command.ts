/** Splits a command line into words, with quotes and backslashes as in a shell. Variables and patterns are not expanded. Pure. */
export function splitCommand(text: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? ''
    if (character === '\\' && quote !== "'") word = (word ?? '') + (text[++index] ?? '')
    else if (quote !== undefined) {
      if (character === quote) quote = undefined
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  return word === undefined ? words : [...words, word]
}
