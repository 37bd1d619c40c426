import {execFileSync} from 'node:child_process'
import {closeSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {openInRoot} from '../../../src/runtime/open-in-root.ts'
import {makeTempDir} from '../support/temp-dir.ts'

type Open = (root: string, path: string) => string | number | undefined

/** A root directory beside `outside/secret`, which no path in it may reach. */
function makeRootOf(open: Open, files: readonly string[], links: Readonly<Record<string, string>> = {}) {
  const dir = makeTempDir()
  const root = join(dir.path, 'root')
  const make = (path: string, content: string) => {
    mkdirSync(dirname(path), {recursive: true})
    writeFileSync(path, content)
  }
  mkdirSync(root)
  make(join(dir.path, 'outside/secret'), 'secret')
  for (const file of files) make(join(root, file), file)
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), {recursive: true})
    symlinkSync(target.replaceAll('DIR', dir.path), join(root, path))
  }
  return {
    /** The content of the file that is found; each is its own path. */
    find: (path: string) => {
      const found = open(root, path)
      if (found === undefined) return undefined
      const content = readFileSync(found, 'utf8')
      if (typeof found === 'number') closeSync(found)
      return content
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  }
}

describe.each<[string, Open]>([['opened', openInRoot]])('a path in a root, %s,', (_name, open) => {
  const makeRoot = (files: readonly string[], links: Readonly<Record<string, string>> = {}) => makeRootOf(open, files, links)

  it.each(['/etc/passwd', 'etc/passwd', '/etc//passwd', '/./etc/./passwd', '/etc/../etc/passwd', '/../../etc/passwd'])(
    'is found: %s',
    (path) => {
      using root = makeRoot(['etc/passwd'])
      expect(root.find(path)).toBe('etc/passwd')
    },
  )

  it.each<[string, Record<string, string>]>([
    ['relative', {'etc/passwd': '../usr/etc/passwd'}],
    ['absolute, from the root', {'etc/passwd': '/usr/etc/passwd'}],
    ['of a directory on the way', {etc: '/usr/etc'}],
    ['through another', {'etc/passwd': 'one', 'etc/one': '/two', two: 'usr/etc/passwd'}],
    ['that climbs above the root, which is the root', {'etc/passwd': '../../../../../usr/etc/passwd'}],
  ])('is followed through a link: %s', (_, links) => {
    using root = makeRoot(['usr/etc/passwd'], links)
    expect(root.find('/etc/passwd')).toBe('usr/etc/passwd')
  })

  it.each<[string, Record<string, string>]>([
    ['an absolute link', {'etc/passwd': 'DIR/outside/secret'}],
    ['a relative link', {'etc/passwd': '../../outside/secret'}],
    ['a link of a directory', {etc: '../outside', passwd: 'etc/secret'}],
    ['a link back down into the root', {'etc/passwd': 'DIR/root/../outside/secret'}],
  ])('never leads out of it by %s', (_, links) => {
    using root = makeRoot(['x'], links)
    expect(root.find('/etc/passwd')).toBeUndefined()
    expect(root.find('/passwd')).toBeUndefined()
  })

  it('is not found when links form a circle', () => {
    using root = makeRoot([], {'etc/passwd': 'shadow', 'etc/shadow': '/etc/passwd', self: 'self', deep: 'deep/deep'})
    for (const path of ['/etc/passwd', '/self', '/deep']) expect(root.find(path)).toBeUndefined()
  })

  it.each(['/etc', '/', '', '/none', '/etc/none', '/none/passwd', '/dangling'])('is not found when it is not a file: %j', (path) => {
    using root = makeRoot(['etc/passwd'], {dangling: '/nowhere'})
    expect(root.find(path)).toBeUndefined()
  })

  it('is not found when a file stands where a directory should', () => {
    using root = makeRoot(['etc'])
    expect(root.find('/etc/passwd')).toBeUndefined()
  })

  it('never leads out of it, whatever the links are', () => {
    const step = fc.constantFrom('a', 'b', '..', '.', '', 'DIR', 'outside', 'secret', 'root')
    const target = fc
      .tuple(fc.boolean(), fc.array(step, {minLength: 1, maxLength: 5}))
      .map(([absolute, steps]) => (absolute ? '/' : '') + steps.join('/'))
      .filter((text) => text !== '')
    fc.assert(
      fc.property(target, target, target, (a, b, path) => {
        using root = makeRoot(['c'], {a, b})
        expect(root.find(path)).not.toBe('secret')
      }),
      {numRuns: 150},
    )
  })
})

describe('what is opened in a root', () => {
  it('is not a FIFO, device or socket, and does not wait for one', () => {
    using dir = makeTempDir()
    execFileSync('mkfifo', [join(dir.path, 'fifo')])
    symlinkSync('fifo', join(dir.path, 'link'))
    symlinkSync('/dev/zero', join(dir.path, 'zero'))
    for (const path of ['fifo', 'link', 'zero', 'fifo/x']) expect(openInRoot(dir.path, path)).toBeUndefined()
    expect(openInRoot('/dev', 'zero')).toBeUndefined()
    expect(openInRoot(join(dir.path, 'none'), 'x')).toBeUndefined()
  })

  it('leaves no descriptor open', () => {
    using dir = makeTempDir()
    mkdirSync(join(dir.path, 'a/b'), {recursive: true})
    writeFileSync(join(dir.path, 'a/b/file'), '')
    symlinkSync('/a/../a/b/./file', join(dir.path, 'a/b/link'))
    const count = () => readdirSync('/proc/self/fd').length
    const before = count()
    for (const path of ['a/b/link', 'a/b/file', 'a/b/none', 'a/b', 'a/b/../../..', 'a/b/file/x']) {
      const fd = openInRoot(dir.path, path)
      if (fd !== undefined) closeSync(fd)
    }
    expect(count()).toBe(before)
  })
})
