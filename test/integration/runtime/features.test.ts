import {chmodSync, readdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseFeatures, readFeatures} from '../../../src/runtime/runc/features.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

describe('the features of a runtime', () => {
  it('are those that runc tells', async () => {
    const features = await readFeatures('runc')
    expect(features).toMatchObject({seccomp: true, apparmor: true, selinux: true})
    expect(features?.mountOptions).toContain('rro')
    expect(features?.namespaces).toContain('cgroup')
  })

  it('are kept while the program is the same, and are the same then', async () => {
    await using dir = makeTempDir()
    const cacheDir = dir.path
    const asked = await readFeatures('runc', {cacheDir})
    expect(readdirSync(cacheDir)).toHaveLength(1)
    expect(await readFeatures('runc', {cacheDir})).toEqual(asked)
    expect(readdirSync(cacheDir)).toHaveLength(1)
  })

  it('are not kept of a script, which may call another program tomorrow', async () => {
    await using dir = makeTempDir()
    const script = join(dir.path, 'runtime')
    writeFileSync(script, '#!/bin/sh\nexec runc "$@"\n')
    chmodSync(script, 0o755)
    expect(await readFeatures(script, {cacheDir: dir.path})).toMatchObject({seccomp: true})
    expect(readdirSync(dir.path)).toEqual(['runtime'])
  })

  it.each(['/bin/true', '/none/runc', 'no-such-runtime', '/etc/passwd'])('of %s are not known', async (binary) => {
    expect(await readFeatures(binary)).toBeUndefined()
  })

  it('may be few', () => {
    expect(parseFeatures('{"ociVersionMin":"1.0.0"}')).toEqual({mountOptions: new Set(), namespaces: new Set(), idmap: false})
    expect(parseFeatures('{"mountOptions":["rro"]}')).toBeUndefined()
    expect(parseFeatures('true')).toBeUndefined()
  })
})
