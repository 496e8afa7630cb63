import { heapBytes, type Address, type ApiContext, type ApiGroup } from './function.js';
import { toolchainViolation, userViolation, wrongMode } from './hypervisor-error.js';
import { MODES } from './modes.js';

const MAX_BYTES = 32;

function perByte(_context: ApiContext, _dst: Address, _offset: Address, size: Address): Address {
  return size;
}

function certificate({ execution }: ApiContext, name: string): Uint8Array {
  const bytes = execution.dataCertificate;
  if (!bytes) throw wrongMode(name, execution.mode);
  return bytes;
}

function outside(start: Address, size: Address, limit: number): boolean {
  return typeof start === 'bigint' || typeof size === 'bigint' || start + size > limit;
}

/** Certified data and its certificate. */
export const certifiedData: ApiGroup = {
  certified_data_set: {
    params: ['I', 'I'],
    allowed: MODES.certifying,
    bytes: (_context, _src: Address, size: Address) => size,
    run: (context, src: Address, size: Address) => {
      if (size > MAX_BYTES) {
        throw userViolation(
          `ic0_certified_data_set failed because the passed data must be no larger than ${MAX_BYTES} bytes. Found ${size} bytes.`,
          'Try certifying just the hash of your data instead of the full contents.',
          'certified_data_set-payload-too-large',
        );
      }
      const limit = heapBytes(context);
      if (outside(src, size, limit)) {
        throw toolchainViolation(
          `ic0_certified_data_set failed because src + size is out of bounds. Found src = ${src} and size = ${size} while src + size must be <= ${limit}`,
        );
      }
      context.execution.certifiedData = context.code.instance.readBytes(src, size);
    },
  },
  data_certificate_present: {
    params: [],
    result: 'i',
    allowed: MODES.notStart,
    run: ({ execution }) =>
      MODES.certificate.has(execution.mode) && execution.input.dataCertificate ? 1 : 0,
  },
  data_certificate_size: {
    params: [],
    result: 'I',
    allowed: MODES.certificate,
    run: (context) => certificate(context, 'ic0_data_certificate_size').length,
  },
  data_certificate_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.certificate,
    bytes: perByte,
    run: (context, dst: Address, offset: Address, size: Address) => {
      const bytes = certificate(context, 'ic0_data_certificate_copy');
      if (outside(offset, size, bytes.length)) {
        throw toolchainViolation(
          `ic0_data_certificate_copy failed because offset + size is out of bounds. Found offset = ${offset} and size = ${size} while offset + size must be <= ${bytes.length}`,
        );
      }
      const limit = heapBytes(context);
      if (outside(dst, size, limit)) {
        throw toolchainViolation(
          `ic0_data_certificate_copy failed because dst + size is out of bounds. Found dst = ${dst} and size = ${size} while dst + size must be <= ${limit}`,
        );
      }
      const from = offset as number;
      context.code.instance.writeBytes(dst, bytes.subarray(from, from + (size as number)));
    },
  },
};
