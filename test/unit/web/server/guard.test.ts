import {describe, expect, it} from 'vitest'
import {toErrorBody} from '../../../../src/kernel/errors.ts'
import {checkFetchSite, checkHost, checkOrigin} from '../../../../src/web/server/guard.ts'

const outcome = (check: () => unknown) => {
  try {
    check()
    return 'passes'
  } catch (error) {
    return toErrorBody(error).code
  }
}

describe('the Host header', () => {
  it.each([
    ['127.0.0.1:7070', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost:7070', '127.0.0.1'],
    ['LOCALHOST:7070', '127.0.0.1'],
    ['[::1]:7070', '::1'],
    ['localhost:8080', '::1'],
    ['127.0.0.1:7070', '::ffff:127.0.0.1'],
    ['192.0.2.7:7070', '192.0.2.7'],
    ['[2001:db8::7]:7070', '2001:db8::7'],
  ])('is accepted when it names this machine: %s at %s', (host, localAddress) => {
    expect(outcome(() => checkHost({host}, localAddress))).toBe('passes')
  })

  it.each([
    [undefined, '127.0.0.1'],
    ['', '127.0.0.1'],
    ['evil.example', '127.0.0.1'],
    ['evil.example:7070', '127.0.0.1'],
    ['localhost.evil.example', '127.0.0.1'],
    ['127.0.0.1.evil.example', '127.0.0.1'],
    ['127.evil.example', '127.0.0.1'],
    ['evil.example@127.0.0.1', '127.0.0.1'],
    ['127.0.0.1:7070/x', '127.0.0.1'],
    ['127.0.0.1, evil.example', '127.0.0.1'],
    ['[::1', '::1'],
    ['localhost:7070', '192.0.2.7'],
    ['192.0.2.8:7070', '192.0.2.7'],
    ['127.0.0.1:7070', '192.0.2.7'],
    ['evil.example', undefined],
  ])('is rejected otherwise: %s at %s', (host, localAddress) => {
    expect(outcome(() => checkHost({host}, localAddress))).toBe('ORIGIN_REFUSED')
  })
})

describe('the Origin header', () => {
  it('must match the Host header', () => {
    expect(outcome(() => checkOrigin({host: '127.0.0.1:7070', origin: 'http://127.0.0.1:7070'}))).toBe('passes')
    for (const origin of [undefined, 'null', '', 'http://127.0.0.1:7071', 'https://127.0.0.1:7070', 'http://127.0.0.1:7070.evil.example'])
      expect(outcome(() => checkOrigin({host: '127.0.0.1:7070', origin}))).toBe('ORIGIN_REFUSED')
  })

  it('must match for reads as well if the browser sends it', () => {
    const site = (value: string | undefined) => outcome(() => checkFetchSite({'sec-fetch-site': value}))
    expect([undefined, 'same-origin', 'none'].map(site)).toEqual(['passes', 'passes', 'passes'])
    expect(['same-site', 'cross-site', ''].map(site)).toEqual(['ORIGIN_REFUSED', 'ORIGIN_REFUSED', 'ORIGIN_REFUSED'])
  })
})
