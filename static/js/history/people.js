/**
 * Faces of a session as people: those that were merged are one. Pure.
 *
 * @typedef {{face: number, first_s: number, last_s: number, samples: number, name: string, person:
 *   number}} SessionFace
 *
 * @typedef {object} PersonOfSession
 * @property {number} person number of the face that stands for it
 * @property {string} name empty where nobody wrote one
 * @property {string} title the name, or the number in words
 * @property {number[]} faces
 * @property {number} samples
 * @property {number} firstS
 * @property {number} lastS
 */

import { t } from "../shared/words.js";

/** @param {number} face @returns {string} the number in words */
export const faceTitle = (face) => t("Face {id}", { id: face });

/**
 * @param {readonly SessionFace[]} faces
 * @returns {PersonOfSession[]} by number
 */
export function peopleOf(faces) {
  const people = new Map();
  for (const { face, first_s, last_s, samples, name, person } of faces) {
    const known = people.get(person) ?? newPerson(person, name);
    known.faces.push(face);
    known.samples += samples;
    known.firstS = Math.min(known.firstS, first_s);
    known.lastS = Math.max(known.lastS, last_s);
    people.set(person, known);
  }
  return [...people.values()].sort((a, b) => a.person - b.person);
}

const newPerson = (person, name) => ({
  person,
  name,
  title: name || faceTitle(person),
  faces: [],
  samples: 0,
  firstS: Infinity,
  lastS: 0,
});

/**
 * @param {readonly SessionFace[]} faces
 * @returns {(person: number) => string} the name, or the number in words
 */
export function titlesOf(faces) {
  const titles = new Map(peopleOf(faces).map(({ person, title }) => [person, title]));
  return (person) => titles.get(person) ?? faceTitle(person);
}
