/* user.cpp: firmware in C++ that uses the C. */
#include "plant.h"
#include "plant_params.h"
#include "plant_test.h"

int main()
{
    static plant_state state;
    plant_in in = {};
    plant_out out = {};
    plant_init(&state);
    const bool fired = plant_step(&state, &plant_learned, &in, &out) != 0;
    return fired && plant_self_test(&state) == 0 ? 0 : 1;
}
