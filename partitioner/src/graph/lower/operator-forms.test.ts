import { expect, test } from 'vitest';
import { supported } from './index.js';
import { operatorForms } from './operator-forms.js';

test('every operator that is lowered has a form for people, and no other has', () => {
  expect(Object.keys(operatorForms).sort()).toEqual(Object.keys(supported).sort());
});
