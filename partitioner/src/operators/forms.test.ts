import { describe, expect, it } from 'vitest';
import { modelOperators, operatorForms } from './index.js';

describe('the list of operators for people', () => {
  it('has all that workers run, and what is written out before planning', () => {
    const expanded = ['If', 'Loop', 'Scan'];
    expect(Object.keys(operatorForms).sort()).toEqual(
      [...modelOperators.keys(), ...expanded].sort(),
    );
  });
});
