/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Counts frames in a float target that lasts, beside one that does not.",
    "PASSES": [
        {"TARGET": "count", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
        {"TARGET": "fleeting", "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
        {}
    ]
}*/
void main() {
    if (PASSINDEX == 0) gl_FragColor = IMG_NORM_PIXEL(count, vec2(0.5)) + vec4(1.0, 0.0, 0.0, 0.0);
    else if (PASSINDEX == 1) gl_FragColor = IMG_NORM_PIXEL(fleeting, vec2(0.5)) + vec4(1.0, 0.0, 0.0, 0.0);
    else gl_FragColor = vec4(IMG_NORM_PIXEL(count, vec2(0.5)).r, IMG_NORM_PIXEL(fleeting, vec2(0.5)).r, 0.0, 255.0) / 255.0;
}
