export default function run({ id, index, input }) {
    return { id, index, seen: JSON.stringify(input), accepted: input.seed !== 1 };
}
