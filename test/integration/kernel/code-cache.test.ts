import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {fill, mountDisk} from '../../support/small-disk.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const codeCache = join(import.meta.dirname, '../../../src/kernel/code-cache.ts')
const generationAt = 32

test('keeps the code of a process that asks for it, and the next process adds to that', async () => {
  await using dir = makeTempDir()
  const [program, cache] = [writeProgram(dir.path, 'a', 'first'), join(dir.path, 'kept/code')]
  expect(run(program, cache, {keeps: false})).toBe('first')
  expect(existsSync(cache)).toBe(false)
  expect(run(program, cache)).toBe('first')
  expect([statSync(cache).mode & 0o777, statSync(join(dir.path, 'kept')).mode & 0o777]).toEqual([0o600, 0o700])
  expect(readFileSync(cache)[generationAt]).toBe(1)
  // It would begin again at 1 if V8 had refused the code.
  expect(run(program, cache)).toBe('first')
  expect(readFileSync(cache)[generationAt]).toBe(2)
})

test('writes the cache a limited number of times', async () => {
  await using dir = makeTempDir()
  const [program, cache] = [writeProgram(dir.path, 'a', 'first'), join(dir.path, 'code')]
  for (let time = 0; time < 10; time += 1) run(program, cache)
  expect(readFileSync(cache)[generationAt]).toBe(8)
})

test('does not run the code of another program of the same length', async () => {
  await using dir = makeTempDir()
  const cache = join(dir.path, 'code')
  run(writeProgram(dir.path, 'a', 'first'), cache)
  expect(run(writeProgram(dir.path, 'b', 'other'), cache)).toBe('other')
  expect(readFileSync(cache)[generationAt]).toBe(1)
})

test.each(['garbled', 'cut', 'empty', 'made by other flags'] as const)('compiles, and replaces a cache that is %s', async (how) => {
  await using dir = makeTempDir()
  const [program, cache] = [writeProgram(dir.path, 'a', 'first'), join(dir.path, 'code')]
  run(program, cache, {flags: how === 'made by other flags' ? ['--no-lazy'] : []})
  const bytes = readFileSync(cache)
  if (how === 'garbled') writeFileSync(cache, bytes.fill(0x2a, bytes.length - 200))
  if (how === 'cut') truncateSync(cache, Math.floor(bytes.length / 2))
  if (how === 'empty') truncateSync(cache)
  expect(run(program, cache)).toBe('first')
  expect(readFileSync(cache)[generationAt]).toBe(1)
  run(program, cache)
  expect(readFileSync(cache)[generationAt]).toBe(2)
})

test('runs where no cache can be written, and leaves nothing there', async () => {
  await using dir = makeTempDir()
  const program = writeProgram(dir.path, 'a', 'first')
  writeFileSync(join(dir.path, 'file'), '')
  expect(run(program, join(dir.path, 'file/code'))).toBe('first')
  const full = join(dir.path, 'full')
  await using _disk = mountDisk(full)
  mkdirSync(join(full, 'cache'))
  chmodSync(join(full, 'cache'), 0o700)
  fill(join(full, 'ballast'))
  expect(run(program, join(full, 'cache/code'))).toBe('first')
  expect(readdirSync(join(full, 'cache'))).toEqual([])
})

test('gives the program what a bundle uses of its module', async () => {
  await using dir = makeTempDir()
  const program = join(dir.path, 'c.cjs')
  writeFileSync(program, wrap("process.stdout.write([require('node:path').basename(__filename), __dirname, __url].join(' '))"))
  expect(run(program, undefined)).toBe(`c.cjs ${dir.path} file://${program}`)
})

/** Long enough that its code does not fit into what is left on a full disk. */
function writeProgram(dir: string, name: string, says: string): string {
  const file = join(dir, `${name}.cjs`)
  const functions = Array.from({length: 200}, (_, index) => `function f${index}(x) { return x + ${index} } f${index}(1)`)
  writeFileSync(file, wrap(`${functions.join('\n')}\nprocess.stdout.write('${says}')`))
  return file
}

function wrap(body: string): string {
  return `(function (exports, require, __filename, __dirname, __url) {\n${body}\n})`
}

function run(
  program: string,
  cache: string | undefined,
  {keeps = true, flags = []}: {keeps?: boolean; flags?: readonly string[]} = {},
): string {
  const script = `import {keepCode, runCached} from '${codeCache}'; runCached(${JSON.stringify({program, cache})}); if (${keeps}) keepCode()`
  return execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...flags, '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
}
