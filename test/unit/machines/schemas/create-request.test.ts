import {describe, expect, it} from 'vitest'
import {createRequestSchema, isBundleRequest, rootfsRequestSchema} from '../../../../machines/schemas/create-request.ts'

const rootfs = {rootfs: '/srv/rootfs', args: ['sh']}

describe('a create request', () => {
  it('with a root file system has defaults for all other fields except the command', () => {
    expect(createRequestSchema.parse(rootfs)).toEqual({
      namespace: 'default',
      autoRemove: false,
      rootfs: '/srv/rootfs',
      args: ['sh'],
      env: [],
      cwd: '/',
      user: '0',
      network: 'none',
    })
  })

  it('with a bundle has defaults only for fields that a bundle does not contain', () => {
    expect(createRequestSchema.parse({bundle: '/b'})).toEqual({namespace: 'default', autoRemove: false, bundle: '/b'})
  })

  it('has either a bundle or a root file system', () => {
    expect(isBundleRequest(createRequestSchema.parse({bundle: '/b'}))).toBe(true)
    expect(isBundleRequest(createRequestSchema.parse(rootfs))).toBe(false)
  })

  it.each<[string, unknown]>([
    ['both a bundle and a root file system', {...rootfs, bundle: '/b'}],
    ['neither', {}],
    ['an unknown field', {...rootfs, memoryLimit: 5}],
    ['an unknown field beside a bundle', {bundle: '/b', args: ['sh']}],
    ['no command', {rootfs: '/srv'}],
    ['an empty command', {...rootfs, args: []}],
    ['a command that is one string', {...rootfs, args: 'sh'}],
    ['a relative root file system', {...rootfs, rootfs: 'srv'}],
    ['a relative bundle', {bundle: './b'}],
    ['a relative working directory', {...rootfs, cwd: 'tmp'}],
    ['an invalid id', {...rootfs, id: 'a.b'}],
    ['an invalid namespace', {...rootfs, namespace: '*'}],
    ['a variable without a value', {...rootfs, env: ['PATH']}],
    ['a variable without a name', {...rootfs, env: ['=x']}],
    ['an empty user', {...rootfs, user: ''}],
    ['a host name of 65 bytes', {...rootfs, hostname: 'h'.repeat(65)}],
    ['an unknown network', {...rootfs, network: 'bridge'}],
    ['null', null],
  ])('is rejected with %s', (_, request) => {
    expect(createRequestSchema.safeParse(request).success).toBe(false)
  })

  it.each<[string, unknown]>([
    ['rootfs', {...rootfs, rootfs: '/srv\0'}],
    ['bundle', {bundle: '/b\0'}],
    ['args', {...rootfs, args: ['a\0b']}],
    ['the name of a variable', {...rootfs, env: ['A\0=b']}],
    ['the value of a variable', {...rootfs, env: ['A=b\0']}],
    ['cwd', {...rootfs, cwd: '/\0'}],
    ['hostname', {...rootfs, hostname: 'h\0'}],
    ['id', {...rootfs, id: 'a\0'}],
  ])('is rejected with a NUL in %s', (_, request) => {
    expect(createRequestSchema.safeParse(request).success).toBe(false)
  })

  it('keeps unusual but valid values', () => {
    const odd = {...rootfs, args: ['', 'a\nb'], env: ['A=', 'B==c', 'A=again'], hostname: 'h'.repeat(64), rootfs: '/'}
    expect(rootfsRequestSchema.parse(odd)).toMatchObject(odd)
  })

  it('is parsed to the same when it is parsed twice', () => {
    const parsed = createRequestSchema.parse(rootfs)
    expect(createRequestSchema.parse(parsed)).toEqual(parsed)
  })
})
