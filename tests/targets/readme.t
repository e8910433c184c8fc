#!/bin/sh
# The README's program for a Cortex-M compiles as it stands there, in both sizes, and blinks on an emulated micro:bit.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
target=$here/target.sh
if ! "$target" have m0; then
    [ -z "${CI-}" ] && echo "1..0 # SKIP the tools for m0 are missing" && exit 0
    exit 1
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
result() { n=$((n + 1)); if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/log"; fi; }

awk -v dir="$dir" '/^```c$/ { k++; on = 1; next } /^```$/ { on = 0 } on { print > (dir "/block" k ".c") }' "$root/README.md"
program=$(grep -l SysTick_Handler "$dir"/block*.c)
printf 'led 0 on\nled 1 on\nled 0 off\nled 1 off\nled 1 on\nled 1 off\nled 0 on\nled 1 on\nled 0 off\nled 1 off\n' > "$dir/want"
for form in "" -DASYNCX_NO_CANCEL; do
    timeout 60 arm-none-eabi-gcc -std=c99 -Os -Wall -Wextra -Werror -mcpu=cortex-m0 -mthumb -ffreestanding -nostdlib -ffunction-sections \
        -fdata-sections -Wl,--gc-sections $form -T "$root/examples/embedded/m0/link.ld" -I"$root" "$program" "$here/systick.c" -lgcc \
        -o "$dir/image" > "$dir/log" 2>&1
    result $? "it compiles ${form:-in full}"
    timeout 20 qemu-system-arm -M microbit -display none -monitor none -serial null -chardev stdio,id=s0 \
        -semihosting-config enable=on,target=native,chardev=s0 -icount shift=5,sleep=off -kernel "$dir/image" < /dev/null > "$dir/out" 2> "$dir/log"
    result $? "it runs to the tenth change"
    cmp "$dir/want" "$dir/out" > "$dir/log" 2>&1
    result $? "the LEDs change in the order of their deadlines"
done
echo "1..$n"
